/** A Collector that speaks OpAMP by its own extension, without a supervisor: seen, never configured. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Child, createTemporaryFolder, startServer } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { assign, createConfig, isUp, untilAgent } from './agents.ts'

const uid = '01939b3c-7d2e-7c3a-9f00-0123456789ab'

await describeWithPeers('a Collector with the opamp extension alone', ['collector'], (peers) => {
  it.each(['websocket', 'http'] as const)('is visible over %s, with health, effective config and components', async (transport) => {
    await using server = await startServer()
    await using folder = await createTemporaryFolder()
    const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'extension' } })
    const endpoint = new URL(server.agentsUrl)
    if (transport === 'http') endpoint.protocol = 'http:'
    const file = join(folder.path, 'config.yaml')
    const how = transport === 'http' ? 'http' : 'ws'
    const polling = transport === 'http' ? '\n        polling_interval: 1s' : ''
    await writeFile(
      file,
      `extensions:
  opamp:
    instance_uid: ${uid}
    server:
      ${how}:
        endpoint: ${endpoint.href}${polling}
        headers:
          Authorization: Bearer ${token.token}
        tls:
          insecure: true
receivers:
  nop: {}
exporters:
  nop: {}
service:
  extensions: [opamp]
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [nop]
      exporters: [nop]
`,
      { mode: 0o600 },
    )
    await using collector = new Child({ title: 'otelcol', command: peers.collector, args: ['--config', file] })
    const agent = await untilAgent(server, (one) => isUp(one) && one.components?.complete === true, { what: 'a healthy agent with its components' })
    expect(agent).toMatchObject({ instanceUid: uid, transport, serviceName: 'otelcol', configState: 'unmanaged' })
    expect(agent.health?.children.map(({ name }) => name)).toContain('pipeline:logs')
    const { data: effective } = await server.api.getEffectiveConfig({ params: { agentId: agent.id } })
    expect(effective.files[0]?.body).toContain('nop')
    expect(effective.files[0]?.body).not.toContain(token.token)
    await createConfig(
      server,
      'something',
      'receivers:\n  nop: {}\nexporters:\n  nop: {}\nservice:\n  pipelines:\n    logs:\n      receivers: [nop]\n      exporters: [nop]\n',
    )
    await assign(server, 'everyone', ['something'])
    const managed = await untilAgent(server, (one) => one.configState !== 'unmanaged', { what: 'told that it takes no configuration' })
    expect(managed.configState).toBe('notAccepted')
    expect((await server.api.listAttempts({})).data.total).toBe(0)
    await collector.end()
    const gone = await untilAgent(server, (one) => !one.connected, { what: 'disconnected', timeoutMs: 120_000 })
    expect(gone.stale || !gone.connected).toBe(true)
  })
})
