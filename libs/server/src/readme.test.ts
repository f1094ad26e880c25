/** The example of the README is a program: this runs it as it stands there. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import { AgentToServerSchema } from '@drover/protocol'
import { describe, expect, it, vi } from 'vitest'
import { firstReport, report, TestSocket, uidA } from './test-agent.ts'

const here = import.meta.dirname

/** Its text between the fences, listening on a free port. */
function exampleSource(): string {
  const readme = readFileSync(join(here, '../README.md'), 'utf8')
  const code = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  return `${code.replace("'@drover/server'", "'../index.ts'").replace('listen(4320)', "listen(0, '127.0.0.1')")}\nexport { http, opamp }\n`
}

describe('the example of the README', () => {
  it('runs: it refuses strangers, offers its configuration, and stops when the agent reports it [RC-08] [RC-09] [RC-19]', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const folder = mkdtempSync(join(here, 'readme-example-'))
    try {
      writeFileSync(join(folder, 'example.ts'), exampleSource())
      const { http, opamp } = (await import(join(folder, 'example.ts'))) as { http: Server; opamp: AsyncDisposable } // as: what the source above exports
      if (!http.listening) await once(http, 'listening')
      const url = `127.0.0.1:${(http.address() as AddressInfo).port}/v1/opamp` // as: listening on TCP
      expect((await fetch(`http://${url}`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } })).status).toBe(401)
      using agent = await TestSocket.connect(url, { headers: { authorization: 'Bearer secret' } })
      const capabilities = ['ReportsStatus', 'AcceptsRemoteConfig', 'ReportsRemoteConfig'] as const
      const status = (hash: number[]) =>
        create(AgentToServerSchema, { remoteConfigStatus: { lastRemoteConfigHash: Uint8Array.from(hash) } }).remoteConfigStatus! // !: just made
      const first = await agent.ask({ ...firstReport(uidA, { capabilities }), remoteConfigStatus: status([]) })
      expect(first.remoteConfig?.configHash).toEqual(Uint8Array.of(1))
      expect((await agent.ask({ ...report(uidA, { sequenceNum: 1, capabilities }), remoteConfigStatus: status([1]) })).remoteConfig).toBeUndefined()
      await opamp[Symbol.asyncDispose]()
      http.close()
      expect(said).toHaveBeenCalledWith(`${uidA} is gone: server`)
    } finally {
      said.mockRestore()
      rmSync(folder, { recursive: true })
    }
  })
})
