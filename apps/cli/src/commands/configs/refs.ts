/** Configs as a person writes them: `name`, or `name@version`. */
import type { ClientContext } from '../../command/command.ts'
import { UsageError } from '../../errors.ts'

export interface ConfigRefText {
  readonly name: string
  /** undefined: the latest. */
  readonly version: number | undefined
}

export function parseConfigRef(given: string): ConfigRefText {
  const [, name = '', version] = /^([^@]+)(?:@([1-9]\d{0,8}))?$/.exec(given) ?? []
  if (name === '') throw new UsageError(`"${given}" is not a config such as gateway or gateway@3`)
  return { name, version: version === undefined ? undefined : Number(version) }
}

/** With the version that it stands for now. */
export async function resolveConfigRef({ api }: Pick<ClientContext, 'api'>, given: string): Promise<{ config: string; version: number }> {
  const { name, version } = parseConfigRef(given)
  if (version !== undefined) return { config: name, version }
  const { data } = await api.getConfig({ params: { name } })
  return { config: name, version: data.latest.version }
}
