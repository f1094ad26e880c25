/** Our client over plain HTTP against a raw server: polls, headers, compression, sizes, and what failed exchanges lead to. */
import { create, toBinary } from '@bufbuild/protobuf'
import { ServerToAgentFlags, ServerToAgentSchema, instanceUidToBytes } from '@drover/protocol'
import { FakeClock } from '@drover/testing'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { effectiveConfig, health, newUid } from './agent-values.ts'
import { AgentUnderTest, withoutCapability } from './client-under-test.ts'
import type { AgentOptions } from './client-under-test.ts'
import { RawServer } from './raw-server.ts'

const config = (bytes: number) =>
  toBinary(
    ServerToAgentSchema,
    create(ServerToAgentSchema, {
      capabilities: 0x7fn,
      remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { a: { body: new Uint8Array(bytes) } } } },
    }),
  )

async function connect(server: RawServer, options: AgentOptions = {}): Promise<AgentUnderTest> {
  const agent = await AgentUnderTest.start(server, 'http', options)
  await agent.untilStatus('connected')
  return agent
}

describe('a message of our client over plain HTTP', () => {
  it('is the body of a POST with the right headers, on the path of the specification [C-HTTP-01] [C-HTTP-11] [C-HTTP-18] [GEN-03] [CN-01]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    const [request] = server.requests
    expect(request).toMatchObject({ method: 'POST', path: '/v1/opamp' })
    expect(request?.headers['content-type']).toEqual(['application/x-protobuf'])
    expect(request?.headers['opamp-instance-uid']).toEqual([agent.client.instanceUid])
    expect(server.messages[0]?.message.instanceUid).toEqual(instanceUidToBytes(agent.client.instanceUid))
  })

  it('names the new uid in its header as soon as its body does [C-HTTP-19] [UID-09]', async () => {
    await using server = await RawServer.start()
    const assigned = newUid()
    await server.answer({ capabilities: 1n, agentIdentification: { newInstanceUid: instanceUidToBytes(assigned) } })
    await using agent = await AgentUnderTest.start(server, 'http')
    await server.message(1)
    expect(server.requests[1]?.headers['opamp-instance-uid']).toEqual([assigned])
    expect(agent.client.instanceUid).toBe(assigned)
  })

  it('is compressed where that makes it smaller, and says so [C-HTTP-14] [C-HTTP-15]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    agent.client.setEffectiveConfig(effectiveConfig('receivers: {}\n'.repeat(1000)))
    const large = await server.message(1)
    expect(large.effectiveConfig?.configMap?.configMap['']?.body).toHaveLength(14_000)
    expect(server.requests[1]?.headers['content-encoding']).toEqual(['gzip'])
    expect(server.bytes[1]?.bytes.length).toBeLessThan(1_000)
    agent.client.setHealth({ ...health(), componentHealthMap: {}, status: '' })
    await server.message(2)
    expect(server.requests[2]?.headers['content-encoding']).toBeUndefined()
  })

  it('waits while another is on its way, and goes right after the answer, with the newest state [C-HTTP-08] [C-HTTP-09] [RT-06]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    const release = server.hold()
    agent.client.setHealth(health(false, 'first'))
    await server.message(1)
    agent.client.setHealth(health(false, 'second'))
    agent.client.setHealth(health(false, 'third'))
    release()
    const third = await server.message(2)
    expect(third.health?.lastError).toBe('third')
    expect(server.mostInFlight).toBe(1)
  })

  it('is never larger than the limit: the part that is too large is left out and the log says so [C-HTTP-31] [C-HTTP-32] [C-HTTP-33]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server, { limits: { maxOutgoingBytes: 16 * 1024 } })
    agent.client.setEffectiveConfig(effectiveConfig('x'.repeat(32 * 1024)))
    await agent.until(() => agent.logged.find(({ level, message }) => level === 'warn' && /large/.test(message)), 'a word in the log')
    agent.client.setHealth(health(false))
    await server.untilMessage(({ health: tree }) => tree?.healthy === false, 'the health')
    expect(server.messages.slice(1).every(({ message }) => message.effectiveConfig === undefined)).toBe(true)
  })

  it('is not sent again when the server calls it too large; the rest of the state is [C-HTTP-23]', async () => {
    await using server = await RawServer.start()
    await using agent = await connect(server)
    await server.refuse({ status: 413 })
    agent.client.setEffectiveConfig(effectiveConfig('x'.repeat(5_000)))
    await server.request(1)
    agent.client.setHealth(health(false))
    await server.untilMessage(({ health: tree }) => tree?.healthy === false, 'the health', 1)
    const bodies = server.messages.slice(1).map(({ message }) => message.effectiveConfig?.configMap?.configMap['']?.body.length)
    expect(bodies).not.toContain(5_000)
  })
})

describe('polls of our client', () => {
  it('come every 30 seconds by default with nothing but uid, number and capabilities, while there is nothing to report [C-HTTP-03] [C-HTTP-04] [C-HTTP-05] [T-01]', async () => {
    await using server = await RawServer.start()
    const clock = new FakeClock()
    await using agent = await connect(server, { clock })
    for (let count = 1; count <= 3; count++) {
      clock.advance(30_000)
      const poll = await server.message(count)
      expect(Object.entries(poll).filter(([name, value]) => name !== '$typeName' && value !== undefined && value !== 0n)).toEqual([
        ['instanceUid', instanceUidToBytes(agent.client.instanceUid)],
        ['sequenceNum', BigInt(count)],
        ['capabilities', poll.capabilities],
      ])
      await agentIsIdle(server)
    }
  })

  it('come at the interval that is configured, then at the one that the server offers; an offered 0 changes nothing [C-HTTP-06] [C-HTTP-07] [HB-04] [HB-07] [HB-09] [HB-12] [T-03] [T-19]', async () => {
    await using server = await RawServer.start()
    const clock = new FakeClock()
    await using agent = await connect(server, {
      clock,
      settings: { heartbeatIntervalSeconds: 10 },
      capabilities: withoutCapability('AcceptsOpAMPConnectionSettings'),
    })
    const offer = (seconds: bigint) =>
      server.answer({
        connectionSettings: { hash: Uint8Array.of(1, Number(seconds)), opamp: { destinationEndpoint: server.url('http'), heartbeatIntervalSeconds: seconds } },
      })
    await agentIsIdle(server)
    await offer(3n)
    clock.advance(10_000)
    await server.message(1)
    await agentIsIdle(server)
    await offer(0n)
    clock.advance(3_000)
    await server.message(2)
    await agentIsIdle(server)
    clock.advance(3_000)
    await server.message(3)
    expect(agent.client.status.state).toBe('connected')
  })
})

describe('an answer over plain HTTP', () => {
  it('may be compressed [S2A-01]', async () => {
    await using server = await RawServer.start()
    server.answerRaw({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(config(10_000)) })
    await using agent = await AgentUnderTest.start(server, 'http')
    await agent.untilCount(agent.configs, 1, 'the configuration')
    expect(server.requests[0]?.headers['accept-encoding']?.join()).toContain('gzip')
  })

  it.each([
    ['as it is', (body: Uint8Array) => ({ body })],
    ['once unpacked', (body: Uint8Array) => ({ body: gzipSync(body), headers: { 'content-encoding': 'gzip' } })],
  ] as const)(
    'above the limit %s is a failed exchange: nothing of it is obeyed, and the log says so [C-HTTP-24] [C-HTTP-25] [C-HTTP-26] [C-HTTP-27]',
    async (_, form) => {
      await using server = await RawServer.start()
      server.answerRaw(form(config(100_000)))
      await using agent = await AgentUnderTest.start(server, 'http', { limits: { maxIncomingBytes: 64 * 1024 } })
      const { lastError } = await agent.untilStatus('waiting')
      expect(lastError).toMatch(/large/)
      expect((await server.message(1)).agentDescription).toBeDefined()
      await agent.untilStatus('connected')
      expect(agent.configs).toEqual([])
      expect(agent.logged.some(({ fields }) => /large/.test(String(fields['reason'])))).toBe(true)
    },
  )

  it.each([
    ['bytes that are no message', { body: Uint8Array.of(0xff, 0xff) }],
    ['gzip that is none', { body: Uint8Array.of(1, 2, 3), headers: { 'content-encoding': 'gzip' } }],
    ['a page of a proxy', { status: 200, body: new TextEncoder().encode('<html>'), headers: { 'content-type': 'text/html' } }],
  ])('with %s is a failed exchange', async (_, raw) => {
    await using server = await RawServer.start()
    server.answerRaw(raw)
    await using agent = await AgentUnderTest.start(server, 'http')
    await agent.untilStatus('waiting')
    expect((await server.message(1)).agentDescription).toBeDefined()
    await agent.untilStatus('connected')
  })

  it('that does not come in time, or breaks off, loses nothing: all is reported again [RT-01] [RT-02] [RT-03]', async () => {
    await using server = await RawServer.start()
    const release = server.hold()
    await using agent = await AgentUnderTest.start(server, 'http', { limits: { responseTimeoutMs: 100 } })
    await server.message(1)
    server.cutTransports()
    await server.message(2)
    release()
    await agent.untilStatus('connected')
    expect(server.messages.slice(0, 3).every(({ message }) => message.agentDescription !== undefined)).toBe(true)
  })

  it('that asks for the full state each time makes no tight circle', async () => {
    await using server = await RawServer.start()
    for (let times = 0; times < 50; times++) await server.answer({ capabilities: 1n, flags: BigInt(ServerToAgentFlags.ServerToAgentFlags_ReportFullState) })
    const clock = new FakeClock()
    await using agent = await AgentUnderTest.start(server, 'http', { clock })
    await agent.untilStatus('connected')
    await agentIsIdle(server)
    expect(server.messages.length).toBeLessThan(10)
  })
})

/** No request is on its way, and none follows by itself: several turns of the loop pass without one. */
async function agentIsIdle(server: RawServer): Promise<void> {
  for (let turns = 0; turns < 5; turns++) {
    const { length } = server.messages
    await fetch(server.url('http').replace('/v1/opamp', '/'), { method: 'HEAD' }).catch(() => undefined)
    if (server.inFlight > 0 || server.messages.length > length) turns = 0
  }
}
