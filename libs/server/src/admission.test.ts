import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { createOpampServer, type OpampServerOptions } from './opamp-server.ts'
import { firstReport, RecordingHandler, settle, TestPipe, uidA } from './test-agent.ts'

function fixture(options: Partial<OpampServerOptions> = {}) {
  const handler = new RecordingHandler()
  const clock = new FakeClock()
  const refused: string[] = []
  const server = createOpampServer({ handler, clock, capabilities: ['AcceptsStatus'], observe: { refused: (cause) => refused.push(cause) }, ...options })
  const admit = (remoteAddress: string) => server.connectInProcess({ remoteAddress }).admitted
  return { handler, clock, refused, server, admit }
}

describe('admission', () => {
  it('never fails open: an error and no answer in time are refusals [TH-11]', async () => {
    const { handler, clock, admit } = fixture()
    handler.onAuthenticate = () => {
      throw new Error('the database is away')
    }
    const refusal = await admit('10.0.0.1')
    expect(refusal).toMatchObject({ kind: 'reject', status: 503 })
    handler.onAuthenticate = () => new Promise(() => undefined)
    const slow = admit('10.0.0.1')
    clock.advance(21_000)
    expect(await slow).toMatchObject({ kind: 'reject', status: 503 })
  })

  it('spreads the wait it tells between 30 and 90 s', async () => {
    const { handler, admit } = fixture()
    handler.onAuthenticate = () => {
      throw new Error('the database is away')
    }
    const waits = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const admission = await admit('10.0.0.1')
      if (admission.kind === 'reject') waits.add(admission.retryAfterSeconds ?? 0)
    }
    expect(waits.size).toBeGreaterThan(10)
    for (const wait of waits) expect(wait >= 30 && wait <= 90).toBe(true)
  })

  it('stops asking about a source that fails too often, for as long as it does, and about no other', async () => {
    const { handler, clock, admit } = fixture({ limits: { failedConnectsPerSecond: 2 } })
    handler.onAuthenticate = () => ({ kind: 'reject', status: 401, message: 'no' })
    const statuses: unknown[] = []
    for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.1.1']) {
      const admission = await admit(address)
      statuses.push(admission.kind === 'reject' ? admission.status : 'in')
    }
    expect(statuses).toEqual([401, 401, 429, 401])
    clock.advance(1_000)
    expect(await admit('10.0.0.3')).toMatchObject({ status: 401 })
  })

  it('does not count those who are let in', async () => {
    const { admit, refused } = fixture({ limits: { failedConnectsPerSecond: 1 } })
    for (let i = 0; i < 100; i++) expect(await admit('10.0.0.1')).toMatchObject({ kind: 'accept' })
    expect(refused).toEqual([])
  })

  it('turns away what is beyond the number of connections or of authentications at once [TH-06]', async () => {
    const full = fixture({ limits: { maxConnections: 1 } })
    await new TestPipe(full.server.connectInProcess()).ask(firstReport(uidA))
    expect(await full.admit('10.0.0.1')).toMatchObject({ kind: 'reject', status: 503 })
    const busy = fixture({ limits: { maxPendingAdmissions: 1 } })
    let release: () => void = () => undefined
    busy.handler.onAuthenticate = () => new Promise((resolve) => (release = () => resolve({ kind: 'accept', principal: 'x' })))
    const first = busy.admit('10.0.0.1')
    expect(await busy.admit('10.0.0.1')).toMatchObject({ kind: 'reject', status: 503 })
    release()
    expect(await first).toMatchObject({ kind: 'accept' })
    await settle()
    expect(busy.refused).toEqual(['overload'])
  })
})
