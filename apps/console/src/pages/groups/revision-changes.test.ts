/** What a revision changes. */
import { expect, it } from 'vitest'
import { type Compared, revisionChanges } from './revision-changes.ts'

const drover = { kind: 'drover' } as const
const base: Compared = {
  selector: 'os.type = linux',
  priority: 0,
  configs: [{ config: 'gateway', version: 3 }],
  variables: { endpoint: 'a' },
  secrets: { api_key: 1 },
  ownTelemetry: { metrics: drover, logs: null, traces: null },
}

it('tells nothing of what is the same', () => {
  expect(revisionChanges(base, { ...base, variables: { ...base.variables } })).toEqual([])
})

it('names both sides, and how to compare another version of a config', () => {
  const to: Compared = { ...base, configs: [{ config: 'gateway', version: 4 }], variables: { endpoint: 'b', region: 'eu' }, secrets: { api_key: 2 } }
  expect(revisionChanges(base, to)).toEqual([
    { what: 'Config gateway', before: 'version 3', after: 'version 4', config: { name: 'gateway', from: 3, to: 4 } },
    { what: 'Variable endpoint', before: 'a', after: 'b' },
    { what: 'Variable region', before: 'none', after: 'eu' },
    { what: 'Secret api_key', before: 'version 1', after: 'version 2' },
  ])
})

it('tells that configs are merged in another order', () => {
  const [a, b] = [
    { config: 'a', version: 1 },
    { config: 'b', version: 1 },
  ]
  expect(revisionChanges({ ...base, configs: [a, b] }, { ...base, configs: [b, a] })).toEqual([{ what: 'Order of configs', before: 'a, b', after: 'b, a' }])
})

it('tells everything of a first revision, and a config that is gone', () => {
  expect(revisionChanges(undefined, base).map(({ what }) => what)).toEqual([
    'Selector',
    'Priority',
    'Config gateway',
    'Variable endpoint',
    'Secret api_key',
    'Own metrics',
  ])
  expect(revisionChanges(base, { ...base, configs: [] })).toEqual([{ what: 'Config gateway', before: 'version 3', after: 'none' }])
})

it('tells that headers of a destination differ, not what they are', () => {
  const otlp = (token: string) => ({ kind: 'otlp', endpoint: 'https://o.example', headers: { authorization: token } }) as const
  const changes = revisionChanges(
    { ...base, ownTelemetry: { metrics: otlp('x'), logs: null, traces: null } },
    { ...base, ownTelemetry: { metrics: otlp('y'), logs: null, traces: null } },
  )
  expect(changes).toEqual([{ what: 'Own metrics', before: 'https://o.example', after: 'https://o.example, other headers' }])
})
