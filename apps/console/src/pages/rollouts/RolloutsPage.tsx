/** All rollouts. */
export function RolloutsPage() {
  return null
}
