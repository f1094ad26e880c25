import { describe, expect, it } from 'vitest'
import { createSealer } from './storage/sealer.ts'
import { readTelemetryToken, telemetryToken } from './telemetry-token.ts'

const sealer = createSealer('a secret of at least sixteen bytes')

describe('the token of an agent for its own telemetry', () => {
  it('tells whose it is', () => {
    expect(telemetryToken(sealer, 'agt_0a1b2c')).toMatch(/^drover_tel_agt_0a1b2c_[0-9a-f]{32}$/)
    expect(readTelemetryToken(sealer, telemetryToken(sealer, 'agt_0a1b2c'))).toBe('agt_0a1b2c')
  })

  it('is of no use under another secret, for another agent, or changed', () => {
    const token = telemetryToken(sealer, 'agt_0a1b2c')
    expect(readTelemetryToken(createSealer('another secret of sixteen bytes'), token)).toBeUndefined()
    expect(readTelemetryToken(sealer, token.replace('0a1b2c', '0a1b2d'))).toBeUndefined()
    for (const wrong of ['', 'drover_tel_', `${token}0`, token.slice(0, -1), token.toUpperCase(), ` ${token}`])
      expect(readTelemetryToken(sealer, wrong)).toBeUndefined()
  })
})
