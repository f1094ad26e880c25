import { create } from '@bufbuild/protobuf'
import { instanceUidToBytes, RemoteConfigStatuses, RemoteConfigStatusSchema, ServerErrorResponseType, type StatusPart } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { compose } from './compose.ts'
import { allParts } from './parts.ts'
import { receive } from './receive.ts'
import { hasNews, requestCertificate, type Session, setPart } from './session.ts'
import { fromServer, heard, partsOf, sent, sessionWith, settledSession, uidA, uidB } from './test-session.ts'

const kinds = (session: Session, init: Parameters<typeof heard>[1]) => heard(session, init).instructions.map(({ kind }) => kind)
const failed = (hash: number) =>
  create(RemoteConfigStatusSchema, { lastRemoteConfigHash: Uint8Array.of(hash), status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, errorMessage: 'no' })

describe('a message from the server', () => {
  it('is left aside when it is for another instance uid, and taken without an addressee [GEN-06]', () => {
    const offer = { remoteConfig: { configHash: Uint8Array.of(1) } }
    expect(receive(settledSession(), fromServer({ instanceUid: instanceUidToBytes(uidB), ...offer })).instructions).toEqual([
      { kind: 'ignored', reason: 'a message for another instance uid' },
    ])
    expect(receive(settledSession(), fromServer(offer)).instructions[0]?.kind).toBe('remote-config')
  })

  it('hands on everything that it has and that the agent accepts [S2A-01]', () => {
    const all = {
      remoteConfig: { configHash: Uint8Array.of(1) },
      connectionSettings: { hash: Uint8Array.of(2), ownMetrics: { destinationEndpoint: 'http://localhost' } },
      packagesAvailable: { allPackagesHash: Uint8Array.of(3) },
      customCapabilities: { capabilities: ['com.example.test'] },
      customMessage: { capability: 'com.example.test', type: 'x' },
    }
    expect(kinds(settledSession(), all)).toEqual(['remote-config', 'connection-settings', 'packages', 'server-custom-capabilities', 'custom-message'])
  })

  it('is ignored as far as it needs capabilities that the agent lacks [CAP-06]', () => {
    const all = {
      remoteConfig: { configHash: Uint8Array.of(1) },
      connectionSettings: { hash: Uint8Array.of(2), opamp: { destinationEndpoint: 'ws://localhost' }, ownLogs: { destinationEndpoint: 'http://localhost' } },
      packagesAvailable: { allPackagesHash: Uint8Array.of(3) },
      command: {},
    }
    expect(kinds(settledSession([]), all)).toEqual(['ignored', 'ignored', 'ignored', 'ignored'])
    const some = heard(settledSession(['ReportsOwnLogs']), all).instructions.find(({ kind }) => kind === 'connection-settings')
    expect(some).toMatchObject({ offer: { hash: Uint8Array.of(2), ownLogs: { destinationEndpoint: 'http://localhost' } } })
    expect(some).not.toHaveProperty('offer.opamp')
  })

  it('with a restart command has no other effect [S2A-08]', () => {
    const { instructions, session } = heard(settledSession(), { command: {}, flags: 1n, remoteConfig: { configHash: Uint8Array.of(1) } })
    expect(instructions).toEqual([{ kind: 'restart' }])
    expect(hasNews(session)).toBe(false)
  })

  it('loses only the command when the agent cannot restart [S2A-09]', () => {
    const { instructions, session } = heard(settledSession(['ReportsHealth']), { command: {}, flags: 1n })
    expect(instructions).toEqual([{ kind: 'ignored', reason: 'a command that this agent does not accept' }])
    expect(hasNews(session)).toBe(true)
  })

  it('that asks for the full state is answered with all of it [S2A-11]', () => {
    const { session } = heard(settledSession(), { flags: 1n })
    expect(hasNews(session)).toBe(true)
    expect(partsOf(compose(session).message)).toEqual(allParts)
  })

  it('that changes nothing is not answered [S2A-05] [ST-06]', () => {
    const session = settledSession()
    expect(hasNews(heard(session, {}).session)).toBe(false)
    expect(hasNews(heard(session, { remoteConfig: { configHash: Uint8Array.of(1) } }).session)).toBe(false)
    expect(hasNews(heard(session, { capabilities: 0x7fn, customCapabilities: {} }).session)).toBe(false)
  })

  it('with another instance uid renames the agent, which then reports all of its state [UID-09] [C-HTTP-19]', () => {
    const { session, instructions } = heard(settledSession(), { agentIdentification: { newInstanceUid: instanceUidToBytes(uidB) } })
    expect(instructions).toEqual([{ kind: 'instance-uid', uid: uidB }])
    expect(compose(session).message.instanceUid).toEqual(instanceUidToBytes(uidB))
    expect(partsOf(compose(session).message)).toEqual(allParts)
    expect(receive(session, fromServer({ instanceUid: instanceUidToBytes(uidA), command: {} })).instructions).toEqual([{ kind: 'restart' }])
  })

  it('with an instance uid of another length changes nothing [UID-01]', () => {
    const { session, instructions } = heard(settledSession(), { agentIdentification: { newInstanceUid: Uint8Array.of(1, 2, 3) } })
    expect(instructions).toEqual([{ kind: 'ignored', reason: 'an instance uid that is not 16 bytes' }])
    expect(session.uid).toBe(uidA)
  })

  it('replaces the list of custom capabilities; one that is not announced gets no message through [CM-03] [CM-06]', () => {
    const first = heard(settledSession(), { customCapabilities: { capabilities: ['a', 'b'] } }).session
    expect(heard(first, { customCapabilities: { capabilities: ['c'] } }).session.serverCustomCapabilities).toEqual(['c'])
    expect(kinds(settledSession(), { customMessage: { capability: 'com.example.unknown' } })).toEqual(['ignored'])
  })
})

describe('an error of the server', () => {
  const error = (type: ServerErrorResponseType, more = {}) => ({ errorResponse: { type, errorMessage: 'no', ...more } })

  it('excludes everything else in the message', () => {
    const { instructions, session } = heard(settledSession(), {
      ...error(ServerErrorResponseType.ServerErrorResponseType_Unknown),
      flags: 1n,
      remoteConfig: { configHash: Uint8Array.of(1) },
    })
    expect(instructions).toEqual([{ kind: 'rejected', type: 'unknown', text: 'no' }])
    expect(hasNews(session)).toBe(false)
  })

  it('that is BAD_REQUEST or UNKNOWN has nothing sent again [ERR-07] [ERR-08]', () => {
    for (const type of [ServerErrorResponseType.ServerErrorResponseType_BadRequest, ServerErrorResponseType.ServerErrorResponseType_Unknown]) {
      const first = sent(sessionWith())
      const { session } = heard(first, error(type))
      expect(hasNews(session)).toBe(false)
      expect(partsOf(compose(session).message)).toEqual([])
    }
  })

  it('that is UNAVAILABLE says for how long [TH-04]', () => {
    const init = error(ServerErrorResponseType.ServerErrorResponseType_Unavailable, {
      Details: { case: 'retryInfo', value: { retryAfterNanoseconds: 2_500_000_000n } },
    })
    expect(heard(settledSession(), init).instructions).toEqual([{ kind: 'unavailable', retryAfterMs: 2_500, text: 'no' }])
    const bare = error(ServerErrorResponseType.ServerErrorResponseType_Unavailable)
    expect(heard(settledSession(), bare).instructions).toEqual([{ kind: 'unavailable', retryAfterMs: undefined, text: 'no' }])
  })

  it('that is BAD_REQUEST refuses a certificate request that is under way', () => {
    const asking = sent(requestCertificate(settledSession(), Uint8Array.of(1)))
    const { instructions, session } = heard(asking, error(ServerErrorResponseType.ServerErrorResponseType_BadRequest))
    expect(instructions.map(({ kind }) => kind)).toEqual(['rejected', 'certificate-refused'])
    expect(session.certificateRequest).toBeUndefined()
  })
})

describe('an offered configuration', () => {
  const offer = (hash: number) => ({ remoteConfig: { configHash: Uint8Array.of(hash) } })
  const statusOf = (session: Session) => partsOf(compose(session).message).includes('remoteConfigStatus' satisfies StatusPart)

  it('is handed on once, also when it is repeated before it has a status', () => {
    const first = heard(settledSession(), offer(1))
    expect(first.instructions).toHaveLength(1)
    expect(kinds(first.session, offer(1))).toEqual([])
    expect(kinds(first.session, offer(2))).toEqual(['remote-config'])
  })

  it('that is in use already is not handed on; the status goes with the next message, but makes none [S2A-04] [S2A-05]', () => {
    const { session, instructions } = heard(settledSession(), offer(7))
    expect(instructions).toEqual([])
    expect(hasNews(session)).toBe(false)
    expect(statusOf(session)).toBe(true)
  })

  it('that failed is handed on again only when the server knows of the failure', () => {
    const tried = setPart(heard(settledSession(), offer(5)).session, 'remoteConfigStatus', failed(5))
    expect(kinds(tried, offer(5))).toEqual([])
    // Sent, but this offer may have crossed it on the way.
    const told = sent(tried)
    expect(kinds(told, offer(5))).toEqual([])
    const answered = heard(told, {}).session
    expect(kinds(answered, offer(5))).toEqual(['remote-config'])
  })

  it('is answered with its status even when that equals the one of the last time [RC-18]', () => {
    const tried = sent(setPart(heard(settledSession(), offer(5)).session, 'remoteConfigStatus', failed(5)))
    const again = heard(heard(tried, {}).session, offer(5)).session
    expect(hasNews(again)).toBe(false)
    const answered = setPart(again, 'remoteConfigStatus', failed(5))
    expect(hasNews(answered)).toBe(true)
    expect(compose(answered).message.remoteConfigStatus?.lastRemoteConfigHash).toEqual(Uint8Array.of(5))
  })
})

describe('offered connection settings', () => {
  it('of a hash that is in use already are not handed on', () => {
    const settings = { connectionSettings: { hash: Uint8Array.of(9), opamp: { destinationEndpoint: 'ws://localhost' } } }
    expect(kinds(settledSession(), settings)).toEqual([])
    expect(kinds(settledSession(), { connectionSettings: { ...settings.connectionSettings, hash: Uint8Array.of(1) } })).toEqual(['connection-settings'])
  })

  it('give the interval to an agent that only promises heartbeats [HB-04] [K-07]', () => {
    const settings = { connectionSettings: { hash: Uint8Array.of(1), opamp: { destinationEndpoint: 'ws://localhost', heartbeatIntervalSeconds: 5n } } }
    const { instructions } = heard(settledSession(['ReportsHeartbeat']), settings)
    expect(instructions).toMatchObject([
      { kind: 'ignored', reason: 'connection settings that this agent does not accept' },
      { kind: 'heartbeat-interval', offer: { heartbeatIntervalSeconds: 5n } },
    ])
  })

  it('with a certificate answer a request for one', () => {
    const asking = sent(requestCertificate(settledSession(), Uint8Array.of(1)))
    const opamp = { destinationEndpoint: 'ws://localhost', certificate: { cert: Uint8Array.of(1) } }
    const { instructions, session } = heard(asking, { connectionSettings: { hash: Uint8Array.of(1), opamp } })
    expect(instructions.map(({ kind }) => kind)).toEqual(['certificate-answered', 'connection-settings'])
    expect(session.certificateRequest).toBeUndefined()
  })
})
