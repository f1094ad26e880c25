/** A group while it is edited. */
import type { Group } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { samplePlan } from '../rollouts/sample-rollout.ts'
import {
  type GroupDraft,
  changesRevision,
  draftOf,
  draftRefusal,
  emptyDraft,
  inputOf,
  pairErrors,
  parseConfigRef,
  sameDraft,
  variableNameError,
} from './group-form.ts'

const counts = { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }
const at = '2026-01-01T00:00:00.000Z'
const group: Group = {
  name: 'all',
  description: '',
  selector: '*',
  priority: 0,
  revision: {
    number: 3,
    selector: '*',
    priority: 0,
    configs: [{ config: 'base', version: 2 }],
    variables: { endpoint: 'https://a.example', region: 'eu' },
    secrets: { api_key: 2 },
    ownTelemetry: { metrics: { kind: 'drover' }, logs: { kind: 'otlp', endpoint: 'https://o.example', headers: { 'x-key': '1' } }, traces: null },
    author: 'a',
    message: 'm',
    createdAt: at,
  },
  current: 3,
  rollout: null,
  plan: null,
  counts,
  createdAt: at,
  updatedAt: at,
}
const ready: GroupDraft = { ...emptyDraft, name: 'x', selector: '*' }

it('takes a config with its version from an address', () => {
  expect(parseConfigRef('base@3')).toEqual([{ config: 'base', version: 3 }])
  expect(parseConfigRef('base')).toEqual([])
  expect(parseConfigRef(undefined)).toEqual([])
})

it('gives back what the group has when nothing is changed', () => {
  const { ownTelemetry, variables, configs } = inputOf(draftOf(group))
  expect({ ownTelemetry, variables, configs }).toEqual({
    ownTelemetry: group.revision.ownTelemetry,
    variables: group.revision.variables,
    configs: group.revision.configs,
  })
})

it('leaves own telemetry alone as a whole when no kind of it is named', () => {
  const none: Group = { ...group, revision: { ...group.revision, ownTelemetry: null } }
  expect(inputOf(draftOf(none)).ownTelemetry).toBeNull()
  expect(inputOf(emptyDraft).ownTelemetry).toEqual({ metrics: { kind: 'drover' }, logs: { kind: 'drover' }, traces: { kind: 'drover' } })
})

describe('what is still missing', () => {
  it('is the name, then the selector', () => {
    expect(draftRefusal(emptyDraft, true)).toMatch(/name/)
    expect(draftRefusal({ ...emptyDraft, name: 'x' }, true)).toMatch(/selector/)
    expect(draftRefusal(ready, true)).toBeUndefined()
  })

  it('is a usable name for each variable, each once', () => {
    expect(
      pairErrors(
        [
          { name: 'a', value: '' },
          { name: '1', value: '' },
          { name: 'a', value: '' },
          { name: '', value: 'x' },
        ],
        variableNameError,
      ),
    ).toEqual([undefined, expect.stringMatching(/letters/), expect.stringMatching(/already/), expect.stringMatching(/name/)])
    expect(draftRefusal({ ...ready, variables: [{ name: '', value: 'lost' }] }, true)).toMatch(/variable/)
  })

  it('is where own telemetry goes', () => {
    const ownTelemetry = { ...ready.ownTelemetry, logs: { kind: 'otlp', endpoint: 'backend:4318', headers: [] } } as const
    expect(draftRefusal({ ...ready, ownTelemetry }, true)).toBe('Say where own logs go')
  })
})

describe('a new revision is made', () => {
  const draft = draftOf(group)
  it.each([
    ['another selector', { selector: 'a = b' }],
    ['another priority', { priority: 5 }],
    ['another version', { configs: [{ config: 'base', version: 3 }] }],
    ['another value of a variable', { variables: [{ name: 'endpoint', value: 'b' }] }],
    ['the latest secrets', { secrets: 'latest' }],
    ['another destination', { ownTelemetry: emptyDraft.ownTelemetry }],
  ] as const)('for %s', (_, part) => {
    expect(changesRevision(group, { ...draft, ...part })).toBe(true)
  })

  it('but not for the plan, the description, the message, or variables in another order', () => {
    expect(changesRevision(group, { ...draft, plan: samplePlan, description: 'd', message: 'm', variables: draft.variables.toReversed() })).toBe(false)
  })
})

it('takes a message alone for no change', () => {
  const draft = draftOf(group)
  expect(sameDraft(draft, { ...draft, message: 'why' })).toBe(true)
  expect(sameDraft(draft, { ...draft, selector: ' * ' })).toBe(true)
  expect(sameDraft(draft, { ...draft, priority: 1 })).toBe(false)
  expect(sameDraft(draft, { ...draft, plan: samplePlan })).toBe(false)
})
