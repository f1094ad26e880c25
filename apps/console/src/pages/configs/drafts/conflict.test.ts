/** What came in the way of a draft. */
import { expect, it } from 'vitest'
import { type Newest, otherTexts } from './conflict.ts'
import type { DraftContent } from './draft-saver.ts'

const at = '2026-01-01T00:00:00.000Z'
const content = (body: string): DraftContent => ({ description: '', message: '', files: [{ name: 'a.yaml', contentType: 'text/yaml', body }] })
const draft = (body: string): Newest['theirs'] => ({
  draft: { config: 'a', ...content(body), files: [...content(body).files], baseVersion: 1, findings: [], updatedBy: 'ben', updatedAt: at },
  stored: { content: content(body), etag: '"2"', at },
})
const version = (number: number): Newest['version'] => ({
  config: 'a',
  version: number,
  hash: '0'.repeat(64),
  message: '',
  author: 'cy',
  createdAt: at,
  bytes: 1,
  files: [...content('published').files],
  findings: [],
})
const known = { content: content('mine'), baseVersion: 1 }
const keys = (newest: Newest) => otherTexts(newest, known).map(({ key, text, by }) => `${key} ${text} ${by}`)

it('is another draft when somebody saved one', () => {
  expect(keys({ theirs: draft('theirs'), version: version(1) })).toEqual(['draft theirs ben'])
})

it('is a newer version when the draft is still as this page saved it', () => {
  expect(keys({ theirs: draft('mine'), version: version(2) })).toEqual(['version published cy'])
})

it('is both when both happened', () => {
  expect(keys({ theirs: draft('theirs'), version: version(2) })).toHaveLength(2)
})

it('is the newer version alone when the draft was published', () => {
  expect(keys({ theirs: undefined, version: version(2) })).toEqual(['version published cy'])
})

it('is nothing to compare when the draft was thrown away', () => {
  expect(keys({ theirs: undefined, version: undefined })).toEqual([])
})
