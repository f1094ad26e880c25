import { create } from '@bufbuild/protobuf'
import {
  agentCapabilities,
  type AgentCapability,
  ConnectionSettingsOffersSchema,
  CustomMessageSchema,
  type ServerCapability,
  serverCapabilities,
} from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import type { Offer } from './handler.ts'
import { admitOffer, emptyOutbox, isEmpty, mergeOffers, takeBatch } from './outbox.ts'
import { prepareRemoteConfig } from './remote-config.ts'
import { uidB } from './test-agent.ts'

const configOf = (bytes: number, hash = 1) => prepareRemoteConfig([{ name: 'a', contentType: '', body: new Uint8Array(bytes) }], Uint8Array.of(hash))
const messageOf = (bytes: number, capability = 'io.drover.test') => create(CustomMessageSchema, { capability, type: 't', data: new Uint8Array(bytes) })
const settings = create(ConnectionSettingsOffersSchema, { hash: Uint8Array.of(1), ownMetrics: { destinationEndpoint: 'https://x.example' } })

const everything: Offer = {
  remoteConfig: configOf(10),
  connectionSettings: settings,
  restart: true,
  customMessage: messageOf(1),
  newInstanceUid: uidB,
  reportFullState: true,
  reportAvailableComponents: true,
}

function admit(
  offer: Offer,
  agent: readonly AgentCapability[],
  server: readonly ServerCapability[] = ['AcceptsStatus', 'OffersRemoteConfig', 'OffersConnectionSettings'],
  custom: string[] = [],
) {
  const { admitted, refused } = admitOffer(offer, {
    agent: agentCapabilities(agent),
    agentCustom: new Set(custom),
    server: serverCapabilities(server),
    serverCustom: ['io.drover.test'],
  })
  return { admitted: Object.keys(admitted), refused }
}

describe('what waits for an agent', () => {
  it('is one thing of each kind, the latest [RT-08]', () => {
    const merged = mergeOffers(mergeOffers({ remoteConfig: configOf(1, 1), restart: true }, { remoteConfig: configOf(1, 2) }), { customMessage: messageOf(1) })
    expect(Object.keys(merged)).toEqual(['remoteConfig', 'restart', 'customMessage'])
    expect(merged.remoteConfig?.hash).toEqual(Uint8Array.of(2))
  })

  it('is not cleared by an offer of nothing', () => {
    expect(mergeOffers({ restart: true }, {})).toEqual({ restart: true })
    expect(isEmpty(emptyOutbox)).toBe(true)
  })
})

describe('an offer', () => {
  it('loses what the agent has no capability for [RC-02] [CAP-12] [CAP-14]', () => {
    expect(admit(everything, ['ReportsStatus']).admitted).toEqual(['newInstanceUid', 'reportFullState'])
    expect(admit(everything, ['ReportsStatus', 'AcceptsRemoteConfig']).admitted).toContain('remoteConfig')
    expect(admit(everything, ['ReportsStatus', 'AcceptsRestartCommand']).admitted).toContain('restart')
    expect(admit(everything, ['ReportsStatus', 'ReportsOwnMetrics']).admitted).toContain('connectionSettings')
    expect(admit(everything, ['ReportsStatus', 'ReportsAvailableComponents']).admitted).toContain('reportAvailableComponents')
    expect(admit(everything, ['ReportsStatus']).refused).toEqual([
      'remoteConfig',
      'connectionSettings',
      'restart',
      'customMessage',
      'reportAvailableComponents',
    ])
  })

  it('has no remote configuration where that is switched off [SEC-14]', () => {
    expect(admit({ remoteConfig: configOf(1) }, ['AcceptsRemoteConfig'], ['AcceptsStatus']).admitted).toEqual([])
    expect(admit({ connectionSettings: settings }, ['ReportsOwnMetrics'], ['AcceptsStatus', 'OffersRemoteConfig']).admitted).toEqual([])
  })

  it('has a custom message only of a capability that both sides announced [CM-04] [CM-08]', () => {
    expect(admit({ customMessage: messageOf(1) }, [], undefined, ['io.drover.test']).admitted).toEqual(['customMessage'])
    expect(admit({ customMessage: messageOf(1) }, [], undefined, []).admitted).toEqual([])
    expect(admit({ customMessage: messageOf(1, 'io.other') }, [], undefined, ['io.other']).admitted).toEqual([])
  })
})

describe('the next message', () => {
  it('has no command beside anything else: the command comes last and alone [S2A-07]', () => {
    const first = takeBatch({ remoteConfig: configOf(1), reportFullState: true, restart: true }, 1_000)
    expect([Object.keys(first.content), first.restart]).toEqual([['reportFullState', 'remoteConfig'], false])
    const second = takeBatch(first.rest, 1_000)
    expect([Object.keys(second.content), second.restart, isEmpty(second.rest)]).toEqual([[], true, true])
  })

  it('leaves for the one after what does not fit beside the rest', () => {
    const first = takeBatch({ customMessage: messageOf(700), remoteConfig: configOf(700) }, 1_000)
    expect([Object.keys(first.content), Object.keys(first.rest), first.dropped]).toEqual([['customMessage'], ['remoteConfig'], []])
  })

  it('never holds what is larger than the limit by itself [S-WS-16] [S-HTTP-28]', () => {
    const batch = takeBatch({ remoteConfig: configOf(2_000), customMessage: messageOf(10), restart: true }, 1_000)
    expect(batch.dropped).toEqual([{ slot: 'remoteConfig', bytes: expect.any(Number) as number }])
    expect([Object.keys(batch.content), Object.keys(batch.rest)]).toEqual([['customMessage'], ['restart']])
  })
})
