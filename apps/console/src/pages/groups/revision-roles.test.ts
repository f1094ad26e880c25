/** Revisions of a group as people see them. */
import { expect, it } from 'vitest'
import { goToLabel, roleOf } from './revision-roles.ts'

const rollout = (state: 'running' | 'completed' | 'rolledBack' | 'rollingBack' | 'stopped' | 'draft', to = 5) => ({ id: 'rol_1', state, to }) as const

it('tells which revision agents have and which one comes', () => {
  const group = { current: 4, rollout: rollout('running') }
  expect([3, 4, 5].map((number) => roleOf(number, group))).toEqual([undefined, 'current', 'on its way'])
  expect(roleOf(5, { current: 4, rollout: rollout('rolledBack') })).toBe('taken back')
  expect(roleOf(5, { current: 4, rollout: rollout('rollingBack') })).toBe('being taken back')
  expect(roleOf(5, { current: 5, rollout: rollout('completed') })).toBe('current')
})

it('returns to earlier revisions, tries later ones again, and offers nothing that everybody has', () => {
  const settled = { current: 4, rollout: rollout('rolledBack') }
  expect([3, 4, 5].map((number) => goToLabel(number, settled))).toEqual(['Return to 3…', undefined, 'Roll out 5…'])
  expect([3, 4, 5].map((number) => goToLabel(number, { current: 4, rollout: rollout('running') }))).toEqual(['Return to 3…', 'Return to 4…', undefined])
  expect(goToLabel(4, { current: 4, rollout: rollout('stopped') })).toBe('Return to 4…')
  expect(goToLabel(1, { current: null, rollout: rollout('draft', 1) })).toBe('Roll out 1…')
})
