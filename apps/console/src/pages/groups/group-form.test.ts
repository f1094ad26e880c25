/** A group while it is edited. */
import type { Group } from '@drover/api'
import { expect, it } from 'vitest'
import { changesRevision, draftOf, draftRefusal, emptyDraft, parseConfigRef, sameDraft } from './group-form.ts'

const counts = { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }
const at = '2026-01-01T00:00:00.000Z'
const group: Group = {
  name: 'all',
  description: '',
  selector: '*',
  priority: 0,
  revision: { number: 3, configs: [{ config: 'base', version: 2 }], author: 'a', message: 'm', createdAt: at },
  counts,
  createdAt: at,
  updatedAt: at,
}

it('takes a config with its version from an address', () => {
  expect(parseConfigRef('base@3')).toEqual([{ config: 'base', version: 3 }])
  expect(parseConfigRef('base')).toEqual([])
  expect(parseConfigRef(undefined)).toEqual([])
})

it('says what is still missing', () => {
  expect(draftRefusal(emptyDraft, true)).toMatch(/name/)
  expect(draftRefusal({ ...emptyDraft, name: 'x' }, true)).toMatch(/selector/)
  expect(draftRefusal({ ...emptyDraft, name: 'x', selector: '*' }, true)).toBeUndefined()
})

it('makes a new revision only for other configs', () => {
  const draft = draftOf(group)
  expect(changesRevision(group, { ...draft, priority: 5, selector: 'a = b' })).toBe(false)
  expect(changesRevision(group, { ...draft, configs: [{ config: 'base', version: 3 }] })).toBe(true)
})

it('takes a message alone for no change', () => {
  const draft = draftOf(group)
  expect(sameDraft(draft, { ...draft, message: 'why' })).toBe(true)
  expect(sameDraft(draft, { ...draft, selector: ' * ' })).toBe(true)
  expect(sameDraft(draft, { ...draft, priority: 1 })).toBe(false)
})
