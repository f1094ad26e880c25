import { describe, expect, it } from 'vitest'
import { sourceOf } from './source-address.ts'

describe('the source of an address', () => {
  it('is the /24 of IPv4, also when it comes mapped into IPv6', () => {
    expect(sourceOf('203.0.113.7')).toBe(sourceOf('::ffff:203.0.113.250'))
    expect(sourceOf('203.0.113.7')).not.toBe(sourceOf('203.0.114.7'))
  })

  it('is the /64 of IPv6, however it is written', () => {
    expect(sourceOf('2001:db8::1')).toBe(sourceOf('2001:DB8:0:0:ffff::2'))
    expect(sourceOf('2001:db8:0:1::1')).not.toBe(sourceOf('2001:db8::1'))
    expect(sourceOf('::1')).toBe('0:0:0:0')
  })
})
