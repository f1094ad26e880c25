import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isOpenAt, isTimeZone, type MaintenanceWindow, nextChange, parseTimeOfDay } from './window.ts'

const at = (text: string): number => Date.parse(text)
const told = (moment: number | null): string | null => (moment === null ? null : new Date(moment).toISOString())
const nights: MaintenanceWindow = { days: ['sat'], from: '22:00', to: '04:00', timeZone: 'Europe/Berlin' }

describe('maintenance windows', () => {
  it('are always open when there are none', () => {
    expect(isOpenAt([], 0)).toBe(true)
    expect(nextChange([], 0)).toBeNull()
  })

  it('go by the clock on the wall, and past midnight', () => {
    // 2026-07-04 is a Saturday; Berlin is two hours ahead.
    expect(isOpenAt([nights], at('2026-07-04T19:59:00Z'))).toBe(false)
    expect(isOpenAt([nights], at('2026-07-04T20:00:00Z'))).toBe(true)
    expect(isOpenAt([nights], at('2026-07-05T01:59:59Z'))).toBe(true)
    expect(isOpenAt([nights], at('2026-07-05T02:00:00Z'))).toBe(false)
    expect(told(nextChange([nights], at('2026-07-01T12:00:00Z')))).toBe('2026-07-04T20:00:00.000Z')
    expect(told(nextChange([nights], at('2026-07-04T23:00:00Z')))).toBe('2026-07-05T02:00:00.000Z')
  })

  it('follow the change of the clock', () => {
    // Put back on 2026-10-25 at 03:00, so this night is an hour longer.
    expect(told(nextChange([nights], at('2026-10-24T21:00:00Z')))).toBe('2026-10-25T03:00:00.000Z')
    const early: MaintenanceWindow = { days: ['sun'], from: '02:15', to: '02:45', timeZone: 'Europe/Berlin' }
    // Put forward on 2026-03-29 from 02:00 to 03:00: it does not happen.
    expect(told(nextChange([early], at('2026-03-28T12:00:00Z')))).toBe('2026-04-05T00:15:00.000Z')
    // Twice.
    expect(told(nextChange([early], at('2026-10-25T00:00:00Z')))).toBe('2026-10-25T00:15:00.000Z')
    expect(told(nextChange([early], at('2026-10-25T00:50:00Z')))).toBe('2026-10-25T01:15:00.000Z')
    const into: MaintenanceWindow = { days: ['sun'], from: '01:30', to: '02:30', timeZone: 'Europe/Berlin' }
    expect(told(nextChange([into], at('2026-03-29T00:40:00Z')))).toBe('2026-03-29T01:00:00.000Z')
  })

  it('add up', () => {
    const days: MaintenanceWindow = { days: ['sun'], from: '04:00', to: '05:00', timeZone: 'Europe/Berlin' }
    expect(told(nextChange([nights, days], at('2026-07-04T23:00:00Z')))).toBe('2026-07-05T03:00:00.000Z')
  })

  it('change exactly where they say they do', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC', 'Pacific/Apia']
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '15', '45'))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`)
    const window = fc.record({
      days: fc.uniqueArray(fc.constantFrom('mon' as const, 'wed' as const, 'sat' as const, 'sun' as const), { minLength: 1 }),
      from: time,
      to: time,
      timeZone: fc.constantFrom(...zones),
    })
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 3 }), fc.integer({ min: at('2026-01-01'), max: at('2027-12-31') }), (windows, now) => {
        const change = nextChange(windows, now)
        if (change === null) return
        expect(isOpenAt(windows, change)).not.toBe(isOpenAt(windows, now))
        expect(isOpenAt(windows, change - 1)).toBe(isOpenAt(windows, now))
        for (let part = 1; part < 8; part++) expect(isOpenAt(windows, now + ((change - now) * part) / 8 - 1)).toBe(isOpenAt(windows, now))
      }),
      { numRuns: 40 },
    )
  })

  it('know a time of day and a zone', () => {
    expect(parseTimeOfDay('23:59')).toBe(23 * 60 + 59)
    expect(['24:00', '7:00', '07:60', ''].map(parseTimeOfDay)).toEqual([undefined, undefined, undefined, undefined])
    expect(['Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, false, false])
  })
})
