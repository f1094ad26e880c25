/** The demo fleet in a whole server: it appears, behaves, and is the same after a restart. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiClient } from '@drover/api'
import type { ApiClient } from '@drover/api'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { startControlPlane } from '../control-plane.ts'
import type { ControlPlane } from '../control-plane.ts'

const AGENTS = 12

async function startDemoServer(dataDir: string): Promise<{ server: ControlPlane; api: ApiClient }> {
  const flags = { data: dataDir, demo: String(AGENTS), 'agents-listen': '127.0.0.1:0', 'console-listen': '127.0.0.1:0', 'log-level': 'silent' }
  const server = await startControlPlane(loadConfig({ flags }))
  const token = readFileSync(server.adminTokenPath, 'utf8').trim()
  return { server, api: createApiClient({ baseUrl: server.consoleUrl, headers: () => ({ authorization: `Bearer ${token}` }) }) }
}

/** Reads the event log as it grows, until so many of a kind were there. */
async function waitForEvents(api: ApiClient, kind: string, wanted: number): Promise<void> {
  const seen = new Set<number>()
  for (let after = 0; seen.size < wanted; ) {
    const { data } = await api.listEvents({ query: { after, kind, limit: 500 } })
    for (const event of data.items) {
      seen.add(event.id)
      after = Math.max(after, event.id)
    }
    if (data.items.length === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('--demo', () => {
  it('shows a fleet that is the same after a restart of the server', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'drover-demo-'))
    try {
      const first = await startDemoServer(dataDir)
      await waitForEvents(first.api, 'agent.enrolled', AGENTS)
      const before = (await first.api.listAgents({})).data.items
      expect(before).toHaveLength(AGENTS)
      expect(before.every((agent) => agent.connected && agent.hostName !== null)).toBe(true)
      const selected = await first.api.countAgents({ query: { filter: 'demo.agent = true' } })
      expect(selected.data.total).toBe(AGENTS)
      await first.server.stop()

      const second = await startDemoServer(dataDir)
      await waitForEvents(second.api, 'agent.connected', AGENTS)
      const after = (await second.api.listAgents({})).data.items
      expect(after.map(({ id, instanceUid }) => [id, instanceUid])).toEqual(before.map(({ id, instanceUid }) => [id, instanceUid]))
      await second.server.stop()
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }, 30_000)
})
