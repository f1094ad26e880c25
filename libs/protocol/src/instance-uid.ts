/** Instance uids: 16 bytes on the wire, canonical UUID text everywhere else. */
import { fromHex, toHex } from './bytes.ts'
import { ProtocolError } from './errors.ts'

/** Lower-case UUID text, 36 characters. Made only by the functions below. */
export type InstanceUid = string & { readonly __brand: 'InstanceUid' }

const uidBytes = 16
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Any 16 bytes are an instance uid; the specification only advises a UUID version 7. */
export function instanceUidFromBytes(bytes: Uint8Array): InstanceUid {
  if (bytes.length !== uidBytes) {
    throw new ProtocolError('bad-instance-uid', `an instance uid has 16 bytes, not ${bytes.length}`, { field: 'instance_uid' })
  }
  return uidFromHex(toHex(bytes))
}

/** Takes upper case as well, as headers and people write it. */
export function parseInstanceUid(text: string): InstanceUid {
  if (!uuidPattern.test(text)) throw new ProtocolError('bad-instance-uid', 'an instance uid is written as a UUID', { field: 'instance_uid' })
  return text.toLowerCase() as InstanceUid // checked by the pattern
}

export function instanceUidToBytes(uid: InstanceUid): Uint8Array {
  return fromHex(uid.replaceAll('-', ''))
}

/**
 * A UUID version 7: 48 bits of time, the rest random.
 *
 * @param now milliseconds since 1970
 * @param random fills an array with random bytes, for example `crypto.getRandomValues`
 */
export function createInstanceUid(now: number, random: (bytes: Uint8Array<ArrayBuffer>) => void): InstanceUid {
  const bytes = new Uint8Array(uidBytes)
  random(bytes)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, Math.floor(now / 2 ** 32))
  view.setUint32(2, now % 2 ** 32)
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f)) // version 7
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f)) // the variant of RFC 9562
  return uidFromHex(toHex(bytes))
}

function uidFromHex(hex: string): InstanceUid {
  const text = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  return text as InstanceUid // 32 hexadecimal digits in the form of a UUID
}
