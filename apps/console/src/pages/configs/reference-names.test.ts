/** The names that references can have. */
import type { Revision } from '@drover/api'
import { expect, it } from 'vitest'
import { referenceNames } from './reference-names.ts'

const group = (name: string, ...variables: readonly string[]) => {
  const revision: Revision = {
    number: 1,
    selector: '*',
    priority: 0,
    configs: [],
    variables: Object.fromEntries(variables.map((variable) => [variable, ''])),
    secrets: {},
    ownTelemetry: null,
    author: '',
    message: '',
    createdAt: '2026-01-01T00:00:00.000Z',
  }
  return { name, revision }
}

it('tells labels from attributes, the most common first, and leaves Drover’s own facts out', () => {
  const keys = [
    { key: 'os.type', agents: 2, values: [] },
    { key: 'host.name', agents: 5, values: [] },
    { key: 'label.site', agents: 1, values: [] },
    { key: 'drover.group', agents: 5, values: [] },
  ]
  expect(referenceNames(keys, [], [], undefined)).toEqual({ agent: ['host.name', 'os.type'], label: ['site'], var: [], secret: [] })
})

it('names variables of the chosen group first, each once', () => {
  expect(referenceNames([], [group('a', 'x', 'y'), group('b', 'z', 'x')], [], 'b').var).toEqual(['x', 'z', 'y'])
})
