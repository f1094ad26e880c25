/** Our client against opamp-go's server and a raw one: how it gets in, how it is turned away, and that it comes back. */
import { FakeClock } from '@drover/testing'
import { expect, it } from 'vitest'
import { health } from './agent-values.ts'
import { AgentUnderTest, setEverything } from './client-under-test.ts'
import { RawServer } from './raw-server.ts'
import { describeWithServers } from './servers.ts'

await describeWithServers('our client', (startServer, transport) => {
  it('shows its headers with each connection attempt or request, the newest of those that change [AU-01] [AU-02] [KM-02]', async () => {
    await using server = await startServer()
    await server.refuse({ status: 401 })
    let token = 'old'
    await using agent = await AgentUnderTest.start(server, transport, {
      settings: {
        headers: [
          ['X-Tenant', 'one'],
          ['X-Tenant', 'two'],
        ],
      },
      prepare: (client) => {
        client.setHeaderSource(() => [['Authorization', `Bearer ${token}`]])
        setEverything(client)
      },
    })
    await agent.untilStatus('waiting')
    token = 'new'
    await agent.untilStatus('connected')
    expect(server.requests[0]?.headers['authorization']).toEqual(['Bearer old'])
    expect(server.requests.at(-1)?.headers['authorization']).toEqual(['Bearer new'])
    expect(server.requests[0]?.headers['x-tenant']?.join(', ')).toBe('one, two')
  })

  it.each([401, 403, 404, 500, 502])('tries again after %i, says why it waits, and loses nothing [RT-03] [RT-07]', async (status) => {
    await using server = await startServer()
    await server.refuse({ status })
    await using agent = await AgentUnderTest.start(server, transport)
    const { lastError } = await agent.untilStatus('waiting')
    expect(lastError).toContain(String(status))
    const first = await server.message(0)
    expect(first.agentDescription).toBeDefined()
    await agent.untilStatus('connected')
  })

  it.each([429, 503])(
    'waits after %i as long as it is told, in seconds or until a date, and sends nothing meanwhile [TH-08] [TH-09] [TH-10] [CN-04]',
    async (status) => {
      await using server = await startServer()
      const clock = new FakeClock()
      await server.refuse({ status, headers: { 'Retry-After': '120' } })
      await server.refuse({ status, headers: { 'Retry-After': new Date(clock.now() + 600_000).toUTCString() } })
      await using agent = await AgentUnderTest.start(server, transport, { clock })
      const { retryAt } = await agent.untilStatus('waiting')
      expect(retryAt - clock.now()).toBeGreaterThanOrEqual(120_000)
      await server.request(0)
      clock.advance(119_000)
      agent.client.setHealth(health(false, 'while waiting'))
      expect(server.requests).toHaveLength(1)
      clock.advance(retryAt - clock.now())
      await server.request(1)
      await agent.until(() => (agent.statuses.filter(({ state }) => state === 'waiting').length === 2 ? true : undefined), 'the second wait')
      const until = agent.client.status.state === 'waiting' ? agent.client.status.retryAt : 0
      expect(until).toBeGreaterThanOrEqual(Date.UTC(2026, 0, 1) + 600_000)
      clock.advance(until - clock.now())
      expect((await server.message(0)).health?.lastError).toBe('while waiting')
      await agent.untilStatus('connected')
      clock.advance(30_000) // from now on the usual interval counts
      await server.message(1)
    },
  )

  it.each([301, 302, 307, 308])('follows a redirect with %i', async (status) => {
    await using target = await RawServer.start()
    await using server = await startServer()
    await server.refuse({ status, headers: { Location: target.url('http') }, times: 100 })
    await using agent = await AgentUnderTest.start(server, transport, { settings: { headers: [['Authorization', 'Bearer x']] } })
    expect((await target.message(0)).agentDescription).toBeDefined()
    await agent.untilStatus('connected')
    expect(server.messages).toHaveLength(0)
  })

  it('takes nothing of an answer that is too large, and comes back with everything it has to say', async () => {
    await using server = await startServer()
    const file = { body: new Uint8Array(200_000) }
    await server.answer({ remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { '': file } } } })
    await using agent = await AgentUnderTest.start(server, transport, { limits: { maxIncomingBytes: 100_000 } })
    const { lastError } = await agent.untilStatus('waiting')
    expect(lastError).toMatch(/large/)
    await agent.untilStatus('connected')
    const reports = (await server.message(1)) && server.messages.filter(({ message }) => message.agentDescription !== undefined)
    expect(reports).toHaveLength(2)
    expect(agent.configs).toEqual([])
  })

  it('makes do without an answer to what it says once it is connected', async () => {
    await using server = await startServer()
    await using agent = await AgentUnderTest.start(server, transport)
    await agent.untilStatus('connected')
    await server.setSilent(true)
    for (const count of [1, 2]) {
      agent.client.setHealth(health(false, `report ${count}`))
      await server.untilMessage(({ health: tree }) => tree?.lastError === `report ${count}`, 'the report')
    }
    expect(agent.client.status.state).toBe('connected')
  })

  it('does not follow redirects in a circle, nor to another protocol', async () => {
    await using server = await startServer()
    await server.refuse({ status: 307, headers: { Location: server.url('http') }, times: 6 })
    await server.refuse({ status: 307, headers: { Location: 'ftp://127.0.0.1/v1/opamp' } })
    await using agent = await AgentUnderTest.start(server, transport)
    await agent.untilStatus('connected')
    expect(agent.statuses.flatMap((one) => (one.state === 'waiting' ? [one.lastError] : [])).join()).toMatch(/redirected more than 5 times.*ftp:/)
  })
})
