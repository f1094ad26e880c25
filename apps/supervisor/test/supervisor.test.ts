import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { attributesToText, ConnectionSettingsOffersSchema, createInstanceUid, CustomMessageSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { messageAt, type Received, type Receiver, startReceiver, textAt } from '../src/own-telemetry/test-otlp.ts'
import { createTestHost, startTestServer, stubConfig, type TestServer } from './test-server.ts'

const healthy = ({ status }: TestServer) => status.health?.healthy === true
const said = (status: string) => (server: TestServer) => server.statuses.at(-1) === status
const effective = ({ status }: TestServer) => new TextDecoder().decode(status.effectiveConfig?.configMap?.configMap['']?.body)
const logOf = (folder: string) => readFile(join(folder, 'supervisor.log'), 'utf8')

/** The stub Collector sends its own telemetry there too, as JSON. */
async function nextOfSupervisor(receiver: Receiver): Promise<Received> {
  for (;;) {
    const one = await receiver.next()
    if (one.headers['content-type'] === 'application/x-protobuf') return one
  }
}

describe('a supervisor', () => {
  it('shows its agent to the server, gives it what it is offered, and says goodbye [RC-04] [HL-01] [HL-02] [HL-04] [CN-05]', async () => {
    await using server = await startTestServer()
    await using host = await createTestHost()
    const supervisor = await host.start(server.url)
    await server.until(healthy, 'a healthy agent')
    const { agentDescription, availableComponents } = server.status
    expect(attributesToText(agentDescription?.identifyingAttributes ?? []).get('service.instance.id')).toBe(server.uid)
    expect(availableComponents?.hash.length).toBeGreaterThan(0)
    expect(supervisor.status).toMatchObject({
      instanceUid: server.uid,
      connection: { state: 'connected' },
      config: { state: 'none' },
      agent: { healthy: true },
    })

    server.offerConfig('good', stubConfig({ log_kib: 1 }))
    await server.until(said('good applying'), 'applying')
    await server.until(said('good applied'), 'applied')
    await server.until((one) => effective(one).includes('log_kib: 1'), 'the effective configuration')
    expect(supervisor.status.config).toMatchObject({ state: 'applied' })

    await supervisor.stop()
    await server.until(({ disconnects }) => disconnects.includes('agent-disconnect'), 'the goodbye')
    expect(server.status.health).toMatchObject({ healthy: false, lastError: 'Supervisor is shutdown', startTimeUnixNano: 0n })
  })

  it('goes back from a configuration that crashes its agent, and reports what happened and what runs', async () => {
    await using server = await startTestServer()
    await using host = await createTestHost()
    await using supervisor = await host.start(server.url)
    await server.until(healthy, 'a healthy agent')
    server.offerConfig('good', stubConfig({ log_kib: 1 }))
    await server.until(said('good applied'), 'applied')
    server.offerConfig('refused', stubConfig({ invalid: 'no such thing' }))
    await server.until((one) => one.statuses.at(-1)?.startsWith('refused failed:') === true, 'refused')
    expect(server.statuses.at(-1)).toContain('no such thing')
    const { pid } = supervisor.status.agent
    server.offerConfig('crash', stubConfig({ crash_after_ms: 200 }))
    await server.until((one) => one.statuses.at(-1)?.startsWith('crash failed:') === true, 'failed')
    await server.until((one) => healthy(one) && effective(one).includes('log_kib: 1'), 'the good one again')
    expect(supervisor.status.agent.pid).not.toBe(pid)
    expect(supervisor.status.config).toMatchObject({ state: 'failed', lastGoodHash: Buffer.from('good').toString('hex') })
  })

  it('refuses what its own file does not allow, as a whole and with the reasons, and goes on with what runs [SEC-03] [SEC-04] [SEC-05] [SEC-06] [SEC-07]', async () => {
    await using server = await startTestServer()
    await using host = await createTestHost()
    const restrictions = { components: { receivers: ['stub'], exporters: ['nop'], extensions: [] }, paths: ['/var/log'], references: ['env'] }
    await using supervisor = await host.start(server.url, { drover: { restrictions } })
    await server.until(healthy, 'a healthy agent')
    server.offerConfig('good', stubConfig({ log_kib: 1 }))
    await server.until(said('good applied'), 'applied')
    const { pid } = supervisor.status.agent
    server.offerConfig('bad', {
      ...stubConfig({ log_kib: 2, data: '/etc/shadow', command: ['sh', '${file:/root/x}'] }),
      extensions: { file_storage: { directory: '/var/log' } },
      drover: { restrictions: {} },
    })
    await server.until((one) => one.statuses.at(-1)?.startsWith('bad failed:') === true, 'refused')
    expect(server.statuses.at(-1)?.split(/: this host.*?: |; /)).toEqual([
      'bad failed',
      `drover in "a.yaml": is no section of a Collector's configuration, and components are restricted here`,
      'extensions.file_storage in "a.yaml": the extension "file_storage" is refused: no extensions are allowed here',
      'receivers.stub.data in "a.yaml": "/etc/shadow" is outside: only files in /var/log are allowed here',
      'receivers.stub.command[0] in "a.yaml": "sh" names a file by a relative path: only files in /var/log are allowed here',
      'receivers.stub.command[1] in "a.yaml": "${file:/root/x}" is refused: only references to env are allowed here',
      'and 1 more',
    ])
    expect(supervisor.status.agent).toMatchObject({ pid, healthy: true })
    expect(effective(server)).toContain('log_kib: 1')
  })

  it('does not run a kept configuration that its file no longer allows [SEC-07]', async () => {
    await using host = await createTestHost()
    {
      await using server = await startTestServer()
      await using _supervisor = await host.start(server.url)
      await server.until(healthy, 'a healthy agent')
      server.offerConfig('old', stubConfig({ log_kib: 1 }))
      await server.until(said('old applied'), 'applied')
    }
    await using server = await startTestServer()
    await using supervisor = await host.start(server.url, { drover: { restrictions: { components: { receivers: ['nop'] } } } })
    await server.until((one) => /^old failed: .*only nop are allowed here/.test(one.statuses.at(-1) ?? ''), 'refused')
    await server.until((one) => healthy(one) && !effective(one).includes('stub'), 'what is there without it')
    expect(supervisor.status.config).toMatchObject({ state: 'failed' })
    server.offerConfig('new', { receivers: { nop: {} }, exporters: { nop: {} }, service: { pipelines: { logs: { receivers: ['nop'], exporters: ['nop'] } } } })
    await server.until((one) => said('new applied')(one) && healthy(one), 'applied')
  })

  it('runs nothing for an empty configuration, and is well with it', async () => {
    await using server = await startTestServer()
    await using host = await createTestHost()
    await using supervisor = await host.start(server.url)
    await server.until(healthy, 'a healthy agent')
    server.offerConfig('empty', undefined)
    await server.until((one) => said('empty applied')(one) && healthy(one) && effective(one) === '', 'nothing runs')
    expect(supervisor.status.agent.pid).toBeUndefined()
  })

  it('runs its agent without a server, tells it everything when there is one, and keeps uid and configuration over its own restart', async () => {
    await using host = await createTestHost()
    let uid: string | undefined
    {
      await using server = await startTestServer()
      await using _supervisor = await host.start(server.url)
      await server.until(healthy, 'a healthy agent')
      uid = server.uid
      server.offerConfig('good', stubConfig({ log_kib: 1 }))
      await server.until(said('good applied'), 'applied')
    }
    await using late = await startTestServer()
    const { port } = new URL(late.url)
    await late[Symbol.asyncDispose]()
    await using supervisor = await host.start(`ws://127.0.0.1:${port}/v1/opamp`)
    expect(supervisor.status).toMatchObject({ config: { state: 'applied' }, connection: { state: expect.not.stringMatching('connected') as unknown } })
    await using server = await startTestServer(Number(port))
    await server.until((one) => healthy(one) && effective(one).includes('log_kib: 1'), 'connected')
    expect(server.uid).toBe(uid)
    expect(server.statuses).toEqual(['good applied'])
  })

  it('relays custom messages both ways, obeys a restart, and takes another uid [CM-01] [UID-09]', async () => {
    await using server = await startTestServer()
    await using host = await createTestHost()
    await using supervisor = await host.start(server.url)
    await server.until(healthy, 'a healthy agent')
    server.offerConfig('echo', stubConfig({ custom_capability: 'io.example.echo' }))
    await server.until((one) => one.status.customCapabilities?.capabilities.includes('io.example.echo') === true, 'the custom capability')
    const data = new TextEncoder().encode('hello')
    server.offer({ customMessage: create(CustomMessageSchema, { capability: 'io.example.echo', type: 'ask', data }) })
    await server.until(({ customMessages }) => customMessages.length > 0, 'the echo')
    expect(server.customMessages[0]).toMatchObject({ capability: 'io.example.echo', type: 'echo', data })
    await server.until(said('echo applied'), 'applied')

    const before = supervisor.status.agent.pid
    server.offer({ restart: true })
    await server.until((one) => healthy(one) && supervisor.status.agent.pid !== before, 'restarted')

    const newInstanceUid = createInstanceUid(Date.now(), (bytes) => crypto.getRandomValues(bytes))
    server.offer({ newInstanceUid })
    const isNamed = (one: TestServer) =>
      attributesToText(one.status.agentDescription?.identifyingAttributes ?? []).get('service.instance.id') === newInstanceUid
    await server.until((one) => one.uid === newInstanceUid && isNamed(one) && healthy(one), 'the new uid')
    expect(supervisor.status.instanceUid).toBe(newInstanceUid)
    await server.until((one) => effective(one).includes(newInstanceUid), 'the agent under it')
  })

  it('sends its own log and metrics where the server says, keeps that over a restart, and says when it cannot be had [OT-05] [OT-06] [K-23]', async () => {
    await using receiver = await startReceiver()
    await using server = await startTestServer()
    await using host = await createTestHost()
    const secret = 'Bearer very-secret'
    const headers = { headers: [{ key: 'Authorization', value: secret }] }
    const destinationEndpoint = `${receiver.url}/v1/logs`
    const settingsOf = (hash: string, minVersion: string) =>
      create(ConnectionSettingsOffersSchema, { hash: new TextEncoder().encode(hash), ownLogs: { destinationEndpoint, headers, tls: { minVersion } } })
    {
      await using _supervisor = await host.start(server.url)
      await server.until(healthy, 'a healthy agent')
      server.offer({ connectionSettings: settingsOf('bad', '1.3') })
      await server.until(
        ({ status }) => status.connectionSettingsStatus?.errorMessage !== undefined && status.connectionSettingsStatus.errorMessage !== '',
        'refused',
      )
      expect(server.status.connectionSettingsStatus?.errorMessage).toContain('1.2 and newer are used')
      server.offer({ connectionSettings: settingsOf('s1', '') })
      const { path, headers: sent, body } = await nextOfSupervisor(receiver)
      expect([path, sent.authorization]).toEqual(['/v1/logs', secret])
      expect(textAt(messageAt(body, 1, 1), [1, 0], 1)).toMatch(/^service\./)
      expect(effective(server)).not.toContain('very-secret')
    }
    const before = receiver.received.length
    await using _again = await host.start(server.url)
    await server.until(healthy, 'a healthy agent')
    expect((await nextOfSupervisor(receiver)).path).toBe('/v1/logs')
    expect(receiver.received.length).toBeGreaterThan(before)
    expect(await logOf(host.folder)).not.toContain('very-secret')
  })
})
