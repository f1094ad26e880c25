/** The example of the README is a program: this runs it as it stands there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RemoteConfigStatuses } from '@drover/protocol'
import { describe, expect, it, vi } from 'vitest'
import type { OpampClient } from './client.ts'
import { rawWebSocketServer } from './test-peers.ts'

const here = import.meta.dirname

/** Its text between the fences, speaking to a free port and keeping its state in a folder of the test. */
function exampleSource(endpoint: string, folder: string): string {
  const readme = readFileSync(join(here, '../README.md'), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return `${code.replace("'@drover/client'", "'../index.ts'").replace('ws://localhost:4320/v1/opamp', endpoint).replace('./agent-state', join(folder, 'state'))}\nexport { client }\n`
}

describe('the example of the README', () => {
  it('runs: it reports, takes a configuration, tells its fate and says goodbye [RC-18] [RC-20]', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const listeners = process.listeners('SIGTERM')
    const folder = mkdtempSync(join(here, 'readme-example-'))
    try {
      await using server = await rawWebSocketServer()
      const source = exampleSource(server.endpoint, folder)
      expect(source.split('\n').length).toBeLessThan(30)
      writeFileSync(join(folder, 'example.ts'), source)
      const { client } = (await import(join(folder, 'example.ts'))) as { client: OpampClient } // as: what the source above exports
      const connection = await server.connections.next()
      expect(connection.request.headers['authorization']).toBe('Bearer secret')
      await connection.answer({ remoteConfig: { configHash: Uint8Array.of(1), config: { configMap: { 'collector.yaml': {} } } } })
      const { remoteConfigStatus } = await connection.answer()
      expect(remoteConfigStatus).toMatchObject({ lastRemoteConfigHash: Uint8Array.of(1), status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED })
      const stopped = client.stop()
      expect((await connection.messages.next()).agentDisconnect).toBeDefined()
      await stopped
      expect(said.mock.calls.flat()).toEqual(['connecting', 'connected', 'asked to run collector.yaml', 'stopped'])
    } finally {
      said.mockRestore()
      for (const listener of process.listeners('SIGTERM')) if (!listeners.includes(listener)) process.off('SIGTERM', listener)
      rmSync(folder, { recursive: true })
    }
  })
})
