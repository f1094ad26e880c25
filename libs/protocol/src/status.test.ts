/** Status compression: gaps, what is missing, and when the full state is asked for. Exact sequences are in vectors/status.json. */
import { create } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arbitraryMessage } from '../test/arbitrary-message.ts'
import { agentToServer, fullReport } from '../test/sample-messages.ts'
import { keyValues } from './any-value.ts'
import { type AgentToServer, AgentToServerSchema } from './gen/opamp/v1/opamp_pb.js'
import { type AgentStatus, mergeStatus, type StatusPart, type StatusTracker, trackHeartbeat, trackReport } from './status.ts'

const reportsHealth = 0x801n
const description = { agentDescription: { identifyingAttributes: keyValues({ 'service.name': 'x' }) } }
const report = (sequenceNum: number | bigint, init: Parameters<typeof agentToServer>[0] = {}) =>
  agentToServer({ capabilities: reportsHealth, ...init, sequenceNum: BigInt(sequenceNum) })
const known = trackReport(undefined, report(1, { ...description, health: {} })).tracker

describe('tracking reports', () => {
  it('needs nothing after a complete first report, whatever its number is', () => {
    for (const number of [0, 1, 77]) {
      expect(trackReport(undefined, report(number, { ...description, health: {} }))).toMatchObject({ gap: false, missing: [], needsFullState: false })
    }
  })

  it('reads an absent part as unchanged while numbers follow each other [SC-03]', () => {
    const next = trackReport(known, report(2))
    expect(next).toMatchObject({ present: [], gap: false, missing: [], needsFullState: false })
    expect([...next.tracker.known]).toEqual(['agentDescription', 'health'])
  })

  it.each([0, 1, 3, 2n ** 64n - 1n])('concludes from number %s after 1 that a report was lost [SC-04]', (number) => {
    expect(trackReport(known, report(number))).toMatchObject({ gap: true, missing: ['agentDescription', 'health'], needsFullState: true })
  })

  it('counts on from 2^64 - 1 to 0', () => {
    const last = trackReport(undefined, report(2n ** 64n - 1n, { ...description, health: {} })).tracker
    expect(trackReport(last, report(0)).gap).toBe(false)
  })

  it('asks for nothing when the report after a gap is complete', () => {
    expect(trackReport(known, report(9, { ...description, health: {} }))).toMatchObject({ gap: true, missing: [], needsFullState: false })
  })

  it('after a gap also misses what no capability promises, but was there before', () => {
    const custom = trackReport(known, report(2, { customCapabilities: { capabilities: ['a'] } })).tracker
    expect(trackReport(custom, report(9, { ...description, health: {} }))).toMatchObject({ missing: ['customCapabilities'], needsFullState: true })
  })

  it('asks an unknown Agent that begins with a compressed report', () => {
    expect(trackReport(undefined, report(5, { health: {} }))).toMatchObject({ gap: false, missing: ['agentDescription'], needsFullState: true })
  })

  it('does not ask again while it waits, except for the description', () => {
    const waiting = trackReport(undefined, report(1, description)).tracker
    expect(trackReport(waiting, report(2))).toMatchObject({ missing: ['health'], needsFullState: false })
    const nameless = trackReport(undefined, report(1)).tracker
    expect(trackReport(nameless, report(2, { health: {} }))).toMatchObject({ missing: ['agentDescription'], needsFullState: true })
  })

  it('takes a description after the question for the whole answer, also when a promised part is not in it', () => {
    const waiting = trackReport(undefined, report(1, description)).tracker
    const answered = trackReport(waiting, report(2, description))
    expect(answered).toMatchObject({ missing: [], needsFullState: false })
    expect(trackReport(answered.tracker, report(3))).toMatchObject({ missing: [], needsFullState: false })
  })

  it('asks for what a new capability promises', () => {
    expect(trackReport(known, report(2, { capabilities: reportsHealth | 0x4n }))).toMatchObject({
      gap: false,
      missing: ['effectiveConfig'],
      needsFullState: true,
    })
    expect(trackReport(known, report(2, { capabilities: 0x1n }))).toMatchObject({ missing: [], needsFullState: false })
  })

  it('keeps the capabilities when a message has none, and takes every other mask over [CAP-05]', () => {
    expect(trackReport(known, report(2, { capabilities: 0n })).tracker.capabilities.mask).toBe(reportsHealth)
    expect(trackReport(known, report(2, { capabilities: 0x3n })).tracker.capabilities.mask).toBe(3n)
  })

  it('knows every part of the schema', () => {
    const { present, missing } = trackReport(undefined, fullReport())
    expect(present).toHaveLength(8)
    expect(missing).toEqual([])
  })

  it('keeps its promises for any sequence of reports', () => {
    const number = fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 5n }) })
    fc.assert(
      fc.property(fc.array(fc.tuple(arbitraryMessage(AgentToServerSchema, 1), number), { maxLength: 12 }), (steps) => {
        let tracker: StatusTracker | undefined
        for (const [arbitrary, override] of steps) {
          const message = create(AgentToServerSchema, { ...arbitrary, sequenceNum: override ?? BigInt.asUintN(64, (tracker?.sequenceNum ?? 0n) + 1n) })
          const tracked = trackReport(tracker, message)
          checkInvariants(tracker, message, tracked)
          ;({ tracker } = tracked)
        }
      }),
    )
  })
})

function checkInvariants(previous: StatusTracker | undefined, message: AgentToServer, tracked: ReturnType<typeof trackReport>): void {
  const { tracker, present, gap, missing, needsFullState } = tracked
  expect(tracker.sequenceNum).toBe(message.sequenceNum)
  expect(gap).toBe(previous !== undefined && BigInt.asUintN(64, message.sequenceNum - (previous.sequenceNum ?? 0n)) !== 1n)
  for (const part of present) expect(tracker.known.has(part)).toBe(true)
  for (const part of missing) expect(tracker.known.has(part)).toBe(false)
  // What is asked for is missing, and who was asked is remembered.
  expect(!needsFullState || missing.length > 0).toBe(true)
  expect(!needsFullState || tracker.awaitsFullState).toBe(true)
  expect(missing.length > 0 || !tracker.awaitsFullState).toBe(true)
  // Without a description nothing else can be decided, so it is always asked for.
  expect(needsFullState || tracker.known.has('agentDescription')).toBe(true)
  expect(needsFullState || !gap || missing.length === 0).toBe(true)
}

describe('tracking heartbeats', () => {
  const beat = (sequenceNum: number, capabilities = Number(reportsHealth)) => ({ uidOffset: 2, sequenceNum, capabilities })

  it('ends where tracking the decoded report ends', () => {
    expect(trackHeartbeat(known, beat(2))).toEqual(trackReport(known, report(2)).tracker)
    expect(trackHeartbeat(known, beat(2, 0))).toEqual(trackReport(known, report(2, { capabilities: 0n })).tracker)
  })

  it('leaves everything else to the decoder', () => {
    const nameless = trackReport(undefined, report(1)).tracker
    expect(trackHeartbeat(undefined, beat(1))).toBeUndefined()
    expect(trackHeartbeat(nameless, beat(2))).toBeUndefined()
    expect(trackHeartbeat(known, beat(1))).toBeUndefined()
    expect(trackHeartbeat(known, beat(3))).toBeUndefined()
    expect(trackHeartbeat(known, beat(2, 3))).toBeUndefined()
  })

  it('does not mind bits without meaning', () => {
    expect(trackHeartbeat(known, beat(2, Number(reportsHealth) + 2 ** 40))).toBeDefined()
  })
})

describe('merging status', () => {
  it('replaces the parts that are present as a whole and keeps the others [SC-03]', () => {
    const first = mergeStatus(undefined, report(1, { ...description, health: { healthy: true, status: 'ok' } }))
    const second = mergeStatus(first, report(2, { health: { healthy: false } }))
    expect(second.agentDescription).toBe(first.agentDescription)
    expect(second.health).toMatchObject({ healthy: false, status: '' })
    expect(first.health).toMatchObject({ healthy: true })
    expect(Object.keys(second)).toEqual(['agentDescription', 'health'])
  })

  it('tells an empty part from an absent one', () => {
    const first = mergeStatus(undefined, report(1, { customCapabilities: { capabilities: ['a'] } }))
    expect(mergeStatus(first, report(2)).customCapabilities?.capabilities).toEqual(['a'])
    expect(mergeStatus(first, report(2, { customCapabilities: {} })).customCapabilities?.capabilities).toEqual([])
  })

  it('keeps the map of components as long as the hash alone is repeated', () => {
    const first = mergeStatus(undefined, report(1, { availableComponents: { hash: Uint8Array.of(1), components: { receivers: {} } } }))
    const same = mergeStatus(first, report(2, { availableComponents: { hash: Uint8Array.of(1) } }))
    expect(Object.keys(same.availableComponents?.components ?? {})).toEqual(['receivers'])
    const other = mergeStatus(first, report(2, { availableComponents: { hash: Uint8Array.of(2) } }))
    expect(other.availableComponents).toMatchObject({ hash: Uint8Array.of(2), components: {} })
  })

  it('holds after any sequence the last value of each part', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage(AgentToServerSchema, 1), { maxLength: 8 }), (messages) => {
        const merged = messages.reduce<AgentStatus | undefined>(mergeStatus, undefined) ?? {}
        const parts: StatusPart[] = [
          'agentDescription',
          'health',
          'effectiveConfig',
          'remoteConfigStatus',
          'packageStatuses',
          'customCapabilities',
          'connectionSettingsStatus',
        ]
        for (const part of parts) expect(merged[part]).toBe(messages.findLast((message) => message[part] !== undefined)?.[part])
      }),
    )
  })
})
