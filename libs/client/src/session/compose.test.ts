import { create } from '@bufbuild/protobuf'
import {
  AgentToServerSchema,
  AvailableComponentsSchema,
  ComponentHealthSchema,
  CustomMessageSchema,
  encodeAgentToServer,
  instanceUidToBytes,
  RemoteConfigStatusSchema,
} from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { compose, largestPart } from './compose.ts'
import { allParts } from './parts.ts'
import {
  connectionOpened,
  createSession,
  hasNews,
  nextCustomMessage,
  queueCustomMessage,
  requestCertificate,
  requestUid,
  setCapabilities,
  setPart,
  withhold,
} from './session.ts'
import { allAgentCapabilities, heard, part, partsOf, sent, sessionWith, settledSession, uidA, uidB } from './test-session.ts'

const custom = (capability = 'com.example.test') => create(CustomMessageSchema, { capability, type: 'ping' })

describe('the next message', () => {
  it('has everything in the first report of a connection, and the hash alone of components [RT-07] [AC-01] [AC-03] [AC-04]', () => {
    const { message } = compose(connectionOpened(settledSession()))
    expect(partsOf(message)).toEqual(allParts)
    expect(message.availableComponents?.components).toEqual({})
    expect(message.availableComponents?.hash).toHaveLength(32)
  })

  it('is a heartbeat of uid, sequence number and capabilities when nothing changed [C-HTTP-04] [HB-06] [A2S-02] [A2S-03] [A2S-04] [A2S-05] [A2S-06] [A2S-07] [AC-08]', () => {
    const { message } = compose(settledSession())
    const bare = create(AgentToServerSchema, { instanceUid: instanceUidToBytes(uidA), sequenceNum: 1n, capabilities: 0xffffn })
    expect(encodeAgentToServer(message)).toEqual(encodeAgentToServer(bare))
  })

  it('carries the next number and all capabilities each time [A2S-01] [CAP-01]', () => {
    let session = connectionOpened(sessionWith())
    for (const expected of [0n, 1n, 2n]) {
      const { message, after } = compose(session)
      expect([message.sequenceNum, message.capabilities]).toEqual([expected, 0xffffn])
      session = after
    }
  })

  it('begins again at 0 after the largest number', () => {
    const last = { ...settledSession(), sequenceNum: 2n ** 64n - 1n }
    expect(sent(last).sequenceNum).toBe(0n)
  })

  it('always has ReportsStatus and no undefined bits [CAP-02] [CAP-03] [IO-02]', () => {
    const { message } = compose(createSession({ uid: uidA, capabilities: ['ReportsHealth'] }))
    expect(message.capabilities).toBe(0x801n)
  })

  it('announces other capabilities at once [CAP-04]', () => {
    const session = setCapabilities(settledSession(), ['ReportsHealth'])
    expect(hasNews(session)).toBe(true)
    expect(compose(session).message.capabilities).toBe(0x801n)
    expect(hasNews(setCapabilities(session, ['ReportsHealth', 'ReportsStatus']))).toBe(true)
    expect(hasNews(setCapabilities(sent(session), ['ReportsHealth']))).toBe(false)
  })

  it('has the whole of a part when one field in it changed, and that part alone [SC-01] [SC-02] [ST-04]', () => {
    const health = create(ComponentHealthSchema, { ...part('health'), lastError: 'out of memory' })
    const session = setPart(settledSession(), 'health', health)
    const { message } = compose(session)
    expect(partsOf(message)).toEqual(['health'])
    expect(message.health).toEqual(health)
  })

  it('is not sent for a value equal to the present one [RC-05]', () => {
    const session = settledSession()
    expect(setPart(session, 'effectiveConfig', part('effectiveConfig'))).toBe(session)
    expect(hasNews(session)).toBe(false)
  })

  it('is not affected by what is done to a value after it was given', () => {
    const health = create(ComponentHealthSchema, { healthy: true })
    const session = setPart(settledSession(), 'health', health)
    health.healthy = false
    expect(compose(session).message.health?.healthy).toBe(true)
  })

  it('has only the newest value of what changed several times [RT-06]', () => {
    const first = setPart(settledSession(), 'health', create(ComponentHealthSchema, { status: 'starting' }))
    const second = setPart(first, 'health', create(ComponentHealthSchema, { status: 'running' }))
    expect(compose(second).message.health?.status).toBe('running')
  })

  it('leaves out parts that the agent does not promise, and takes them in when it does [A2S-09] [CAP-04]', () => {
    const session = connectionOpened(sessionWith([]))
    expect(partsOf(compose(session).message)).toEqual(['agentDescription', 'customCapabilities'])
    const able = setCapabilities(heard(sent(session), { capabilities: 0x7fn }).session, allAgentCapabilities)
    expect(partsOf(compose(able).message)).toEqual(allParts.filter((name) => name !== 'agentDescription' && name !== 'customCapabilities'))
  })

  it('leaves out parts that the server does not take, once it has said so [CAP-13] [IO-03] [CAP-14]', () => {
    const acceptsStatusOnly = settledSession(allAgentCapabilities, 1n)
    const changed = setPart(acceptsStatusOnly, 'effectiveConfig', create(AgentToServerSchema, { effectiveConfig: { configMap: {} } }).effectiveConfig!) // !: just made
    expect(hasNews(changed)).toBe(false)
    const full = heard(changed, { flags: 1n }).session
    expect(partsOf(compose(full).message)).toEqual(allParts.filter((name) => name !== 'effectiveConfig' && name !== 'packageStatuses'))
  })

  it('has an empty status of what is promised and does not exist yet [RC-20]', () => {
    const session = createSession({ uid: uidA, capabilities: ['ReportsRemoteConfig', 'ReportsConnectionSettingsStatus', 'ReportsEffectiveConfig'] })
    const { message } = compose(session)
    expect(partsOf(message)).toEqual(['remoteConfigStatus', 'connectionSettingsStatus'])
    expect(message.remoteConfigStatus).toEqual(create(RemoteConfigStatusSchema))
  })

  it('asks for another uid until it gets one, under the present one [UID-05] [UID-06]', () => {
    const asking = requestUid(settledSession())
    expect(hasNews(asking)).toBe(true)
    expect(compose(asking).message).toMatchObject({ flags: 1n, instanceUid: instanceUidToBytes(uidA) })
    expect(compose(sent(asking)).message.flags).toBe(1n)
    const assigned = heard(sent(asking), { agentIdentification: { newInstanceUid: instanceUidToBytes(uidB) } }).session
    expect(compose(assigned).message).toMatchObject({ flags: 0n, instanceUid: instanceUidToBytes(uidB) })
  })

  it('has the whole map of components when the server asked for it, once [AC-06] [AC-08]', () => {
    const asked = heard(settledSession(), { flags: 2n }).session
    expect(hasNews(asked)).toBe(true)
    const { message, after } = compose(asked)
    expect(partsOf(message)).toEqual(['availableComponents'])
    expect(Object.keys(message.availableComponents?.components ?? {})).toEqual(['receivers'])
    expect(hasNews(after)).toBe(false)
    const changed = setPart(after, 'availableComponents', create(AvailableComponentsSchema, { components: { exporters: {} } }))
    expect(compose(changed).message.availableComponents?.components).toEqual({})
  })

  it('has a certificate request only for a server that takes it, once on a connection [CSR-05]', () => {
    const csr = Uint8Array.of(1, 2)
    const unknown = requestCertificate(connectionOpened(sessionWith()), csr)
    expect(compose(unknown).message.connectionSettingsRequest).toBeUndefined()
    const refused = heard(sent(unknown), { capabilities: 0x3fn }).session
    expect(hasNews(refused)).toBe(false)
    const { message, after } = compose(heard(sent(unknown), { capabilities: 0x7fn }).session)
    expect(message.connectionSettingsRequest?.opamp?.certificateRequest?.csr).toEqual(csr)
    expect(compose(after).message.connectionSettingsRequest).toBeUndefined()
    const again = heard(sent(connectionOpened(after)), { capabilities: 0x7fn }).session
    expect(compose(again).message.connectionSettingsRequest?.opamp?.certificateRequest?.csr).toEqual(csr)
  })

  it('carries one custom message, of a capability that the server announced [CM-04] [CM-08]', () => {
    const waiting = queueCustomMessage(queueCustomMessage(settledSession(), custom()), custom('com.example.other'))
    expect(hasNews(waiting)).toBe(false)
    const announced = heard(waiting, { customCapabilities: { capabilities: ['com.example.other'] } }).session
    expect(compose(announced).message.customMessage?.capability).toBe('com.example.other')
    expect(nextCustomMessage(heard(announced, { customCapabilities: {} }).session)).toBeUndefined()
  })

  it('says goodbye together with what is due [A2S-08] [CN-05]', () => {
    const stopped = setPart(settledSession(), 'health', create(ComponentHealthSchema, { status: 'stopped' }))
    const { message } = compose(stopped, { isLast: true })
    expect(message.agentDisconnect).toBeDefined()
    expect(partsOf(message)).toEqual(['health'])
  })

  it('leaves out what is too large until that changes', () => {
    const full = compose(connectionOpened(sessionWith()))
    expect(largestPart(full)?.part).toBe('availableComponents')
    const session = withhold(connectionOpened(sessionWith()), 'effectiveConfig')
    expect(partsOf(compose(session).message)).not.toContain('effectiveConfig')
    const smaller = setPart(session, 'effectiveConfig', create(AgentToServerSchema, { effectiveConfig: { configMap: {} } }).effectiveConfig!) // !: just made
    expect(partsOf(compose(smaller).message)).toContain('effectiveConfig')
  })
})
