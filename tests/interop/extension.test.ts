/** A Collector that speaks OpAMP by its own extension, without a supervisor: seen, never configured. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Child, createTemporaryFolder, startServer } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { assign, createConfig, isUp, untilAgent } from './agents.ts'

const uid = '01939b3c-7d2e-7c3a-9f00-0123456789ab'

const pipelines = `receivers:
  nop: {}
exporters:
  nop: {}
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    logs:
      receivers: [nop]
      exporters: [nop]
`

/** The printed file is for a WebSocket; a person who wants plain HTTP changes three words. */
function overHttp(pasted: string): string {
  return pasted.replace(/^(\s*)ws:\s*$/m, '$1http:\n$1  polling_interval: 1s').replace('endpoint: ws://', 'endpoint: http://')
}

await describeWithPeers('a Collector with the opamp extension alone', ['collector'], (peers) => {
  it.each(['websocket', 'http'] as const)('is visible over %s, with health, effective config and components', async (transport) => {
    await using server = await startServer()
    await using folder = await createTemporaryFolder()
    const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'extension' } })
    const opampFile = join(folder.path, 'opamp.yaml')
    const pipelineFile = join(folder.path, 'pipelines.yaml')
    await writeFile(opampFile, transport === 'http' ? overHttp(token.snippets.extension) : token.snippets.extension, { mode: 0o600 })
    await writeFile(pipelineFile, pipelines)
    await using collector = new Child({
      title: 'otelcol',
      command: peers.collector,
      args: ['--config', pipelineFile, '--config', opampFile, `--set=extensions.opamp.instance_uid=${uid}`],
    })
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
    if (transport === 'http') return // its client says no goodbye, and 2.5 missed polls take longer than a test should
    await collector.end()
    await untilAgent(server, (one) => !one.connected, { what: 'disconnected' })
  })
})
