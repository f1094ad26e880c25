/** Documents as text, without a server. */
import { describe, expect, it } from 'vitest'
import { testIo } from '../../test-io.ts'
import { readDocuments } from './documents.ts'

describe('documents', () => {
  it('that unfold to far more than they are get refused by name, and the mistakes of others are told too', async () => {
    const unfolding = [
      'a: &a [x, x, x, x, x, x, x, x]',
      ...'bcdef'.split('').map((key, index) => `${key}: &${key} [${`*${'abcdef'[index]}, `.repeat(8)}]`),
    ].join('\n')
    const io = testIo({ stdin: `${unfolding}\n---\nkind: Fleet\n` })
    await expect(readDocuments(io, ['-'])).rejects.toThrow(/^stdin, document 1: .*alias[^]*\nstdin, document 2: kind: /)
  })
})
