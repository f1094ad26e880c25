import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { AgentToServerSchema, type AgentCapability, type AgentToServer, encodeAgentToServer, peekHeartbeat } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { capabilitiesOf, continuesSequence, newSession, readHeartbeat, readReport, type Reading, type Session } from './session.ts'
import { firstReport, report, uidA } from './test-agent.ts'

const rule = { fullStateRetryMs: 30_000, fullStateMaxRetryMs: 900_000, maxCustomCapabilities: 64 }

/** Takes in reports one after the other, a second apart unless told. */
function read(messages: readonly AgentToServer[], start: Session = newSession, stepMs = 1_000): { readings: Reading[]; session: Session } {
  let session = start
  const readings = messages.map((message, index) => {
    const reading = readReport(session, message, index * stepMs, rule)
    session = reading.session
    return reading
  })
  return { readings, session }
}

const delta = (sequenceNum: number, capabilities?: readonly AgentCapability[]) =>
  report(uidA, { sequenceNum, ...(capabilities === undefined ? {} : { capabilities }) })
const full = (sequenceNum: number, capabilities?: readonly AgentCapability[]) =>
  firstReport(uidA, { sequenceNum, ...(capabilities === undefined ? {} : { capabilities }) })

describe('a session', () => {
  it('reads absent parts as unchanged and knows an unchanged report from one that says something [SC-03]', () => {
    const { readings } = read([full(0), delta(1), full(2)])
    expect(readings.map(({ eventful, complete, askFullState }) => ({ eventful, complete, askFullState }))).toEqual([
      { eventful: true, complete: true, askFullState: false },
      { eventful: false, complete: true, askFullState: false },
      { eventful: true, complete: true, askFullState: false },
    ])
  })

  it('asks for the full state after a gap in sequence numbers, once [SC-04] [SC-05] [SC-06] [S2A-10]', () => {
    const { readings } = read([full(0), delta(5), delta(6), delta(7), full(8), delta(9)])
    expect(readings.map((reading) => reading.askFullState)).toEqual([false, true, false, false, false, false])
    expect(readings.map((reading) => reading.complete)).toEqual([true, false, false, false, true, true])
  })

  it('asks an agent it does not know that leaves parts out', () => {
    const { readings } = read([delta(17)])
    expect(readings[0]).toMatchObject({ askFullState: true, complete: false })
  })

  it('does not ask for a second copy of a report that is complete in spite of a gap', () => {
    const { readings } = read([full(0), full(44)])
    expect(readings[1]).toMatchObject({ gap: true, askFullState: false, complete: true })
  })

  it('asks an agent that does not answer again after 30 s, then a minute, then two', () => {
    const { readings } = read([full(0), ...Array.from({ length: 40 }, (_, index) => delta(index + 2))], newSession, 10_000)
    const askedAt = readings.flatMap((reading, index) => (reading.askFullState ? [index * 10] : []))
    expect(askedAt).toEqual([10, 40, 100, 220])
  })

  it('is not drawn into a loop by an agent that answers each request and leaves a gap again', () => {
    const messages = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? full(0) : delta(0)))
    const { readings } = read(messages, newSession, 100)
    const asks = readings.filter((reading) => reading.askFullState).length
    expect(asks).toBe(3)
  })

  it('keeps the capabilities when a message has none, and takes the latest otherwise [CAP-05] [IO-03]', () => {
    const { session } = read([full(0, ['ReportsStatus', 'AcceptsRemoteConfig']), report(uidA, { sequenceNum: 1, capabilities: [] })])
    expect(capabilitiesOf(session).names()).toEqual(['ReportsStatus', 'AcceptsRemoteConfig'])
    const changed = readReport(session, delta(2, ['ReportsStatus']), 0, rule)
    expect(changed.eventful).toBe(true)
    expect(changed.capabilities.names()).toEqual(['ReportsStatus'])
  })

  it('believes in no custom capability before a list came, and replaces the list by the next [CM-03] [CM-04]', () => {
    const withList = (sequenceNum: number, capabilities: string[]) => ({
      ...delta(sequenceNum),
      customCapabilities: create(AgentToServerSchema, { customCapabilities: { capabilities } }).customCapabilities!,
    })
    const first = read([full(0)])
    expect([...first.session.customCapabilities]).toEqual([])
    const { session } = read([withList(1, ['a.b', 'a.c']), withList(2, ['a.d']), delta(3)], first.session)
    expect([...session.customCapabilities]).toEqual(['a.d'])
  })

  it('misses no effective configuration of an agent that does not promise one [CAP-15]', () => {
    expect(read([full(0)]).readings[0]?.complete).toBe(true)
    expect(read([full(0, ['ReportsStatus', 'ReportsEffectiveConfig'])]).readings[0]).toMatchObject({ complete: false, askFullState: true })
  })

  it('sees nothing in a settings request that asks for nothing [CSR-22]', () => {
    const requesting = (init: MessageInitShape<typeof AgentToServerSchema>) => ({
      ...delta(1),
      connectionSettingsRequest: create(AgentToServerSchema, init).connectionSettingsRequest!,
    }) // !: the caller sets it
    const { session } = read([full(0)])
    expect(read([requesting({ connectionSettingsRequest: {} })], session).readings[0]?.eventful).toBe(false)
    expect(read([requesting({ connectionSettingsRequest: { opamp: {} } })], session).readings[0]?.eventful).toBe(true)
  })

  it('does not ask an agent that says goodbye', () => {
    const goodbye = { ...delta(9), agentDisconnect: create(AgentToServerSchema, { agentDisconnect: {} }).agentDisconnect! }
    expect(read([full(0), goodbye]).readings[1]).toMatchObject({ disconnects: true, askFullState: false })
  })

  it('goes on after the highest sequence number with 0', () => {
    const { session } = read([firstReport(uidA)])
    const last = { ...session, tracker: { ...session.tracker!, sequenceNum: 2n ** 64n - 1n } } // !: a report was read
    expect(continuesSequence(last, 0n)).toBe(true)
    expect(continuesSequence(last, 1n)).toBe(false)
    expect(continuesSequence(newSession, 1n)).toBe(false)
  })
})

describe('a heartbeat', () => {
  const peek = (message: AgentToServer) => peekHeartbeat(encodeAgentToServer(message))! // !: these are heartbeats

  it('moves the session on without being decoded', () => {
    const { session } = read([full(0)])
    const next = readHeartbeat(session, peek(delta(1)))
    expect(next?.tracker?.sequenceNum).toBe(1n)
    expect(readReport(next!, delta(2), 0, rule)).toMatchObject({ gap: false, eventful: false }) // !: checked above
  })

  it('is read in full when a number is missing, capabilities changed or the full state is owed', () => {
    const { session } = read([full(0)])
    expect(readHeartbeat(session, peek(delta(2)))).toBeUndefined()
    expect(readHeartbeat(session, peek(delta(1, ['ReportsStatus', 'ReportsHealth'])))).toBeUndefined()
    expect(readHeartbeat(newSession, peek(delta(1)))).toBeUndefined()
    expect(readHeartbeat(read([full(0), delta(3)]).session, peek(delta(4)))).toBeUndefined()
  })
})
