/** Which rollout a person means: its id, or the newest of a group. */
import type { ClientContext } from '../../command/command.ts'
import { argument } from '../../command/spec.ts'
import { CliError } from '../../errors.ts'

export const rolloutArgument = argument('id, or the name of a group for its newest one', { completes: 'rollout' })

export async function findRolloutId({ api }: Pick<ClientContext, 'api'>, given: string): Promise<string> {
  if (/^rol_[0-9a-z]+$/.test(given)) return given
  const { data } = await api.listRollouts({ query: { group: given, limit: 1 } })
  const [newest] = data.items
  if (newest === undefined) throw new CliError(`there is no rollout of a group "${given}"; drover rollouts list shows all`)
  return newest.id
}
