/** Configuration hashes; their exact values are in vectors/config-hashes.json. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesAt, bytesEqual, fromHex, toHex } from './bytes.ts'
import { configHash } from './hash.ts'

const file = (name: string, body = '', contentType = '') => ({ name, contentType, body: new TextEncoder().encode(body) })
const hexOf = (...files: readonly ReturnType<typeof file>[]) => toHex(configHash(files))

describe('the hash of a configuration', () => {
  it('is 32 bytes, also without any file', () => {
    expect(configHash([])).toHaveLength(32)
  })

  it('does not depend on the order of the files', () => {
    const files = ['', 'b', 'a', 'é', 'z', '\u{1f600}', '\uffee'].map((name) => file(name, `${name}!`))
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        expect(hexOf(...shuffled)).toBe(hexOf(...files))
      }),
    )
  })

  it('changes with every part, and when content moves from one part to the next', () => {
    const hashes = [
      hexOf(),
      hexOf(file('')),
      hexOf(file('a')),
      hexOf(file('', 'a')),
      hexOf(file('', '', 'a')),
      hexOf(file('a'), file('')),
      hexOf(file('ab', 'c')),
      hexOf(file('a', 'bc')),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('does not exist for two files with one name', () => {
    expect(() => configHash([file('a'), file('b'), file('a', 'x')])).toThrow(RangeError)
  })
})

describe('bytes', () => {
  it('turn to hexadecimal text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
      }),
    )
    for (const text of ['a', 'zz', '0x', ' 1']) expect(() => fromHex(text)).toThrow(RangeError)
  })

  it('are compared by content', () => {
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false)
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(bytesAt(Uint8Array.of(9, 1, 2), 1, Uint8Array.of(1, 2))).toBe(true)
    expect(bytesAt(Uint8Array.of(9, 1), 1, Uint8Array.of(1, 2))).toBe(false)
  })
})
