/** The query part of an address. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseSearch, pickTexts, stringifySearch } from './search-codec.ts'

it('keeps texts that look like numbers or JSON as they are', () => {
  expect(parseSearch('?search=007&filter=%7B%22a%22%3A1%7D&x=1e5')).toEqual({ search: '007', filter: '{"a":1}', x: '1e5' })
})

it('leaves out what is empty', () => {
  expect(stringifySearch({ a: '', b: undefined, c: null })).toBe('')
  expect(stringifySearch({ kind: 'agent,attempt', tab: undefined })).toBe('?kind=agent,attempt')
})

it('reads back whatever texts were written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 1 })), (texts) => {
      expect(parseSearch(stringifySearch(texts))).toEqual({ ...texts })
    }),
  )
})

it('takes only the named keys, and only texts', () => {
  expect(pickTexts({ tab: 'health', other: 'x', from: '' }, ['tab', 'from'])).toEqual({ tab: 'health' })
})
