/** Instance uids: bytes, text, new ones. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createInstanceUid, instanceUidFromBytes, instanceUidToBytes, parseInstanceUid } from './instance-uid.ts'

const badUid = expect.objectContaining({ name: 'ProtocolError', code: 'bad-instance-uid', field: 'instance_uid' })

describe('instance uids', () => {
  it.each([0, 15, 17, 26, 36, 1 << 20])('do not come from %i bytes [UID-01]', (length) => {
    expect(() => instanceUidFromBytes(new Uint8Array(length))).toThrow(badUid)
  })

  it('are written as canonical UUID text, whatever the 16 bytes are', () => {
    expect(instanceUidFromBytes(Uint8Array.from({ length: 16 }, (_, i) => i * 17))).toBe('00112233-4455-6677-8899-aabbccddeeff')
  })

  it('keep their bytes through the text and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(instanceUidToBytes(instanceUidFromBytes(bytes))).toEqual(bytes)
      }),
    )
  })

  it('are parsed from text in either case', () => {
    expect(parseInstanceUid('01934A5B-6C7D-7E8F-90A1-B2C3D4E5F607')).toBe('01934a5b-6c7d-7e8f-90a1-b2c3d4e5f607')
  })

  it.each([
    '',
    '01934a5b6c7d7e8f90a1b2c3d4e5f607',
    '01934a5b-6c7d-7e8f-90a1-b2c3d4e5f60',
    '01934a5b-6c7d-7e8f-90a1-b2c3d4e5f607\n',
    '{01934a5b-6c7d-7e8f-90a1-b2c3d4e5f607}',
  ])('do not come from the text %j', (text) => {
    expect(() => parseInstanceUid(text)).toThrow(badUid)
  })

  it('are created as UUIDs of version 7 that hold the time [UID-02] [UID-11]', () => {
    const uid = createInstanceUid(0x0193_4a5b_6c7d, (bytes) => bytes.fill(0xff))
    expect(uid).toBe('01934a5b-6c7d-7fff-bfff-ffffffffffff')
    expect(createInstanceUid(0x0193_4a5b_6c7d, (bytes) => bytes.fill(0))).toBe('01934a5b-6c7d-7000-8000-000000000000')
  })

  it('sort by the time they were created at', () => {
    const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 2 }), (now) => {
        expect(createInstanceUid(now, random) < createInstanceUid(now + 1, random)).toBe(true)
      }),
    )
  })
})
