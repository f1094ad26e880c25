/** Two connections claim one instance uid: what to do about it. Pure. */
import type { ConnectionInfo } from './handler.ts'

export interface Claim {
  readonly holder: ConnectionInfo
  readonly newcomer: Pick<ConnectionInfo, 'transport' | 'principal'>
  /** The newcomer's sequence number is the next after the holder's last. */
  readonly continues: boolean
}

export type Verdict =
  /** The newcomer is the same agent, or nobody can tell: the newest connection wins. */
  | 'take-over'
  /** Ask the holder whether it lives: if it does, the newcomer is a second agent and gets another uid. */
  | 'probe'
  /** Another poll of the same agent. */
  | 'same'

export function judgeClaim({ holder, newcomer, continues }: Claim): Verdict {
  const samePrincipal = holder.principal === newcomer.principal
  if (holder.transport === 'http') return newcomer.transport === 'http' && samePrincipal ? 'same' : 'take-over'
  return samePrincipal && continues ? 'take-over' : 'probe'
}
