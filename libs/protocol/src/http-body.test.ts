/** HTTP bodies: gzip, its limits and its abuse. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHttpBody, encodeHttpBody } from './http-body.ts'

const hello = Uint8Array.from(gzipSync('hello hello hello'))
const failure = (code: string) => expect.objectContaining({ name: 'ProtocolError', code })

describe('decoding an HTTP body', () => {
  it('returns it as it is without a content coding', async () => {
    const body = Uint8Array.of(1, 2, 3)
    for (const coding of [undefined, '', 'identity']) expect(await decodeHttpBody(body, coding, 3)).toBe(body)
    await expect(decodeHttpBody(body, undefined, 2)).rejects.toThrow(failure('too-large'))
  })

  it.each(['gzip', 'GZip', ' gzip ', 'x-gzip'])('decompresses %j', async (coding) => {
    expect(new TextDecoder().decode(await decodeHttpBody(hello, coding, 100))).toBe('hello hello hello')
  })

  it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'gzip, br', 'gzip;q=1', '*'])('does not know %j', async (coding) => {
    await expect(decodeHttpBody(hello, coding, 100)).rejects.toThrow(failure('unsupported-encoding'))
  })

  it('bounds what comes out, exactly', async () => {
    expect(await decodeHttpBody(hello, 'gzip', hello.length)).toHaveLength(17)
    await expect(decodeHttpBody(gzipSync('a'.repeat(1001)), 'gzip', 1000)).rejects.toThrow(failure('too-large'))
    expect(await decodeHttpBody(gzipSync('a'.repeat(1000)), 'gzip', 1000)).toHaveLength(1000)
  })

  it('stops a bomb without inflating it', async () => {
    const bomb = gzipSync(new Uint8Array(64 << 20))
    expect(bomb.length).toBeLessThan(70_000)
    await expect(decodeHttpBody(bomb, 'gzip', 4 << 20)).rejects.toThrow(failure('too-large'))
    await expect(decodeHttpBody(bomb.subarray(0, -100), 'gzip', 4 << 20)).rejects.toThrow(failure('too-large'))
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('hello')],
    ['a gzip body cut short', hello.subarray(0, -1)],
    ['a gzip header alone', hello.subarray(0, 10)],
    ['a wrong checksum', hello.map((byte, i) => (i === hello.length - 6 ? byte ^ 1 : byte))],
    ['a wrong length', hello.map((byte, i) => (i === hello.length - 1 ? byte ^ 1 : byte))],
    ['junk behind the end', Uint8Array.from([...hello, 1, 2, 3])],
    ['a second gzip member', Uint8Array.from([...hello, ...hello])],
  ])('refuses %s as gzip', async (_, body) => {
    await expect(decodeHttpBody(body, 'gzip', 1000)).rejects.toThrow(failure('bad-encoding'))
  })

  it('returns what was encoded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000, size: 'max' }), fc.boolean(), async (body, gzip) => {
        const encoded = await encodeHttpBody(body, gzip ? 'gzip' : undefined)
        expect(await decodeHttpBody(encoded.body, encoded.contentEncoding, 10_000)).toEqual(body)
      }),
    )
  })
})

describe('encoding an HTTP body', () => {
  const large = new Uint8Array(5000)

  it.each(['gzip', 'br, gzip;q=0.5', 'GZIP', '*', 'x-gzip', 'deflate, gzip; q=1.0'])('compresses when %j is accepted', async (accepted) => {
    const { body, contentEncoding } = await encodeHttpBody(large, accepted)
    expect(contentEncoding).toBe('gzip')
    expect(body.length).toBeLessThan(100)
  })

  it.each([undefined, '', 'br', 'gzip;q=0', '*;q=0', 'gzip;q=0, *', 'gzip;q=x'])('does not when %j is', async (accepted) => {
    expect(await encodeHttpBody(large, accepted)).toEqual({ body: large })
  })

  it('does not when the body is small', async () => {
    expect(await encodeHttpBody(new Uint8Array(1023), 'gzip')).toEqual({ body: new Uint8Array(1023) })
  })
})
