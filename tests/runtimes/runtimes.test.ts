/** The client in the oldest Node that it promises to run on, and in Bun: it connects, takes a configuration, comes back as the same agent and leaves in order. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RemoteConfigStatuses, instanceUidFromBytes } from '@drover/protocol'
import { prepareRemoteConfig } from '@drover/server'
import { describe, expect, it } from 'vitest'
import { transports } from '../conformance/agent-values.ts'
import { GoServer } from '../conformance/go-server.ts'
import { startRecordingServer } from '../conformance/recording-server.ts'
import type { RecordingServer } from '../conformance/recording-server.ts'
import { Child, createTemporaryFolder } from '../harness/index.ts'
import type { TemporaryFolder } from '../harness/index.ts'
import { findPeers, skipSuite } from '../peers/index.ts'
import { RuntimeUnavailableError, installRuntime } from './install.ts'
import type { RuntimeName } from './install.ts'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const agentFile = join(here, 'agent.ts')
const body = new TextEncoder().encode('receivers: {}\n'.repeat(1000))
const offered = prepareRemoteConfig([{ name: 'a.yaml', contentType: 'text/yaml', body }], new Uint8Array(32).fill(5))

/** The executable, or a sentence why there is none. With DROVER_REQUIRE_PEERS=1 that is an error. */
async function findRuntime(name: RuntimeName): Promise<{ readonly executable: string } | { readonly missing: string }> {
  try {
    return { executable: await installRuntime(name) }
  } catch (error) {
    if (!(error instanceof RuntimeUnavailableError) || process.env['DROVER_REQUIRE_PEERS'] === '1') throw error
    return { missing: error.message }
  }
}

/** Inside of the repository, where the imports of the example are found. */
async function createExampleFolder(): Promise<TemporaryFolder> {
  const parent = join(root, '.cache', 'runtimes')
  await mkdir(parent, { recursive: true })
  const path = await mkdtemp(join(parent, 'example-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function exampleSource(endpoint: string, stateFolder: string): Promise<string> {
  const readme = await readFile(join(root, 'libs', 'client', 'README.md'), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return code.replace('ws://localhost:4320/v1/opamp', endpoint).replace('./agent-state', stateFolder)
}

const applied = (server: RecordingServer, count: number) =>
  server.until(() => {
    const all = server.reports.filter(({ message }) => message.remoteConfigStatus?.status === RemoteConfigStatuses.RemoteConfigStatuses_APPLIED)
    return all.length >= count ? all.at(-1) : undefined
  }, 'APPLIED')

const left = (server: RecordingServer, count: number) =>
  server.until(() => {
    const all = server.disconnections.filter(({ reason }) => reason === 'agent-disconnect')
    return all.length === count ? true : undefined
  }, 'the goodbye')

async function describeRuntime(title: string, name: RuntimeName): Promise<void> {
  const runtime = await findRuntime(name)
  if ('missing' in runtime) return skipSuite(`our client in ${title}`, runtime.missing)
  const startAgent = (args: readonly string[]) => new Child({ title: `an agent in ${title}`, command: runtime.executable, args: [agentFile, ...args] })

  describe(`our client in ${title}`, () => {
    it.each(transports)(
      'takes a configuration, comes back after a restart as the same agent with its status, and leaves in order, over %s',
      async (transport) => {
        await using server = await startRecordingServer()
        server.admit = ({ headers }) =>
          headers['authorization'] === 'Bearer secret' ? { kind: 'accept', principal: 'agent' } : { kind: 'reject', status: 401, message: 'who is it' }
        server.answer = ({ message }) => (message.remoteConfigStatus?.lastRemoteConfigHash.length === 32 ? undefined : { remoteConfig: offered })
        await using folder = await createTemporaryFolder()
        const uids: string[] = []
        for (const start of [1, 2]) {
          await using agent = startAgent([server.url(transport), folder.path])
          const report = await applied(server, start)
          uids.push(instanceUidFromBytes(report.message.instanceUid))
          await agent.untilOutput(/connected/)
          agent.signal('SIGTERM')
          expect(await agent.ended).toBe('exit code 0')
          expect(agent.output).not.toMatch(/warning|error/i)
          await left(server, start)
        }
        expect(uids[1]).toBe(uids[0])
        const { effectiveConfig } = (await server.untilReport(({ present }) => present.includes('effectiveConfig'), 'the effective configuration')).message
        expect(effectiveConfig?.configMap?.configMap['a.yaml']?.body).toEqual(body)
      },
    )

    it("runs the example of the client's README as it stands there", async () => {
      await using server = await startRecordingServer()
      server.answer = ({ message }) => (message.remoteConfigStatus?.lastRemoteConfigHash.length === 32 ? undefined : { remoteConfig: offered })
      await using folder = await createExampleFolder()
      const example = join(folder.path, 'example.ts')
      await writeFile(example, await exampleSource(server.url('websocket'), join(folder.path, 'state')))
      await using agent = new Child({ title: `the example in ${title}`, command: runtime.executable, args: [example] })
      await agent.untilOutput(/asked to run a\.yaml/)
      await applied(server, 1)
      expect(server.requests[0]?.headers['authorization']).toBe('Bearer secret')
      agent.signal('SIGTERM')
      expect(await agent.ended).toBe('exit code 0')
      await left(server, 1)
    })

    it.each(transports)('trusts the authority that it is given and no other behind TLS, over %s', async (transport) => {
      const peers = await findPeers(['opamp-server'])
      if (typeof peers === 'string') return void process.stderr.write(`Not tried behind TLS: ${peers}\n`)
      await using server = new GoServer(peers['opamp-server'])
      const { ca, cert, key } = await server.createCertificates()
      await server.listen({ tls: { cert, key } })
      await using folder = await createTemporaryFolder()
      const caFile = join(folder.path, 'ca.pem')
      await writeFile(caFile, ca)
      await using stranger = startAgent([server.url(transport), join(folder.path, 'stranger')])
      await stranger.untilOutput(/waiting/)
      expect(server.messages).toHaveLength(0)
      await using agent = startAgent([server.url(transport), join(folder.path, 'agent'), caFile])
      await agent.untilOutput(/connected/)
      expect(server.messages.length).toBeGreaterThan(0)
    })
  })
}

await describeRuntime('Node 22.18', 'node')
await describeRuntime('Bun', 'bun')
