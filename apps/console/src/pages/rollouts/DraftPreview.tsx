/** draft */
import type { Rollout } from '@drover/api'
export function DraftPreview({ rollout }: { readonly rollout: Rollout }) {
  return <p>{rollout.id}</p>
}
