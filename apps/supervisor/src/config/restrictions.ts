/** The keys under `drover.restrictions`: what remote configuration may touch. */
import type { Restrictions } from '@drover/agent-config'
import type { Host } from './host.ts'
import type { keys } from './keys.ts'
import { pathOf } from './read-keys.ts'
import type { ReadKeys, Report } from './read-keys.ts'
import type { DroverSettings } from './supervisor-config.ts'

const kinds = ['receiver', 'processor', 'exporter', 'connector', 'extension'] as const

export function readRestrictions({ values, given }: ReadKeys<typeof keys>, host: Host, report: Report): Pick<DroverSettings, 'restrictions'> {
  if (![...given].some((key) => key.startsWith('drover.restrictions.'))) return {}
  if (values['drover.agent.kind'] === 'process')
    report('error', pathOf('drover.restrictions'), 'is for Collectors: the format of what another program reads is not known here')
  // A path has other spellings there, drives and backslashes, and what is not recognised would be let through.
  if (host.platform === 'win32' && given.has('drover.restrictions.paths')) report('error', pathOf('drover.restrictions.paths'), 'is not possible on Windows')
  const components = Object.fromEntries(
    kinds.flatMap((kind) => {
      const types = values[`drover.restrictions.components.${kind}s`]
      return types === undefined ? [] : [[kind, types]]
    }),
  )
  const { 'drover.restrictions.paths': paths, 'drover.restrictions.references': references } = values
  const restrictions: Restrictions = { components, ...(paths === undefined ? {} : { paths }), ...(references === undefined ? {} : { references }) }
  return { restrictions }
}
