import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from './retry-after.ts'

const now = Date.UTC(2026, 0, 1)

describe('Retry-After', () => {
  it('is a number of seconds or a date [TH-08]', () => {
    expect(parseRetryAfter('120', now)).toBe(120_000)
    expect(parseRetryAfter(' 0 ', now)).toBe(0)
    expect(parseRetryAfter('Thu, 01 Jan 2026 00:00:30 GMT', now)).toBe(30_000)
  })

  it('that is past is no wait', () => {
    expect(parseRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
  })

  it('that makes no sense is none', () => {
    for (const text of [undefined, '', '-1', '1.5', 'soon']) expect(parseRetryAfter(text, now)).toBeUndefined()
  })
})
