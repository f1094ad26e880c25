/** The rows of the labels editor. */
import { expect, it } from 'vitest'
import { labelsOf, rowError, rowsOf } from './labels.ts'

it('turns labels into rows and back, without the empty ones', () => {
  const rows = [...rowsOf({ site: 'ber', team: 'x' }), { id: 9, key: '', value: '' }]
  expect(labelsOf(rows)).toEqual({ site: 'ber', team: 'x' })
})

it('says what is wrong with a row', () => {
  const rows = [
    { id: 0, key: 'site', value: 'a' },
    { id: 1, key: 'site', value: 'b' },
    { id: 2, key: '', value: 'c' },
    { id: 3, key: 'no spaces', value: '' },
    { id: 4, key: '', value: '' },
  ]
  expect(rows.map((row) => rowError(row, rows) === undefined)).toEqual([true, false, false, false, true])
})
