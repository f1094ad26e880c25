/** One rollout. */
export function RolloutPage() {
  return null
}
