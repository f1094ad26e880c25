/** A control plane in this process with scripted agents on real sockets, which answer at once, for tests of commands that move them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { loadConfig, startControlPlane } from '@drover/control-plane'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, createTelemetrySender, systemClock, webSocketLink } from '@drover/testing'
import { runCli } from '../src/cli.ts'
import { runTestCli, testIo } from '../src/test-io.ts'
import type { CliResult, TestIo, TestIoOptions } from '../src/test-io.ts'

export const good =
  'receivers:\n  otlp:\n    protocols:\n      grpc: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n'

/** One agent, then the rest, each watched for no longer than it takes. One failure is too many. */
export const quickPlan = `extends: quick
waves: [{ kind: count, count: 1 }, { kind: percent, percent: 100 }]
soak: 0s
gates: []
budget: { maxCount: 0, maxPercent: 0, minSample: 1 }
retries: { count: 0, delay: 0s }
times: { applyTimeout: 20s, gateEvery: 1s, patience: 1s }
`
/** The same, and the first wave lasts until somebody acts. */
export const slowPlan = quickPlan.replace('soak: 0s', 'soak: 1h')

export interface Fixture extends AsyncDisposable {
  /** Working folder of the commands. */
  readonly folder: string
  readonly consoleUrl: string
  readonly drover: (args: readonly string[], options?: TestIoOptions) => Promise<CliResult>
  /** What the command prints with `-o json`; it has to end with exit code 0. */
  // any: each test looks into another answer.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: (args: readonly string[]) => Promise<any>
  /** A command that goes on by itself. */
  readonly begin: (args: readonly string[]) => { readonly io: TestIo; readonly ended: Promise<number> }
}

export async function startFixture({
  agents: count,
  flags = {},
}: {
  readonly agents: number
  readonly flags?: Readonly<Record<string, string>>
}): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-cli-rollouts-'))
  const listeners = { 'agents-listen': '127.0.0.1:0', 'console-listen': '127.0.0.1:0' }
  const server = await startControlPlane(loadConfig({ flags: { data: join(folder, 'data'), ...listeners, 'log-level': 'silent', ...flags } }))
  const env = { DROVER_URL: server.consoleUrl, DROVER_DATA: server.dataDir }
  const drover = (args: readonly string[], options: TestIoOptions = {}) => runTestCli(args, { cwd: folder, ...options, env: { ...env, ...options.env } })
  const json = async (args: readonly string[]) => {
    const { code, stdout, stderr } = await drover([...args, '-o', 'json'])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout)
  }
  const begin = (args: readonly string[]) => {
    const io = testIo({ env, cwd: folder })
    return { io, ended: runCli(args, io) }
  }
  const timers = new TimerQueue({ clock: systemClock })
  const sender = createTelemetrySender()
  const { token } = await json(['tokens', 'create', 'scripted'])
  const openLink = webSocketLink({ url: server.agentsUrl, headers: { authorization: `Bearer ${token}` } })
  const agents = Array.from({ length: count }, (_, index) => {
    const telemetry = { sender, intervalMs: 200 }
    return new ScriptedAgent({
      traits: agentTraits(index),
      openLink,
      timers,
      random: createRandom(index),
      telemetry,
      times: { startMs: 1, applyMs: 5, failMs: 1 },
    })
  })
  const enrolled = begin(['events', '--follow', '--after', '0', '--kind', 'agent.enrolled', '-o', 'json'])
  for (const agent of agents) agent.start()
  await enrolled.io.untilLines(count)
  enrolled.io.signal()
  await enrolled.ended
  return {
    folder,
    consoleUrl: server.consoleUrl,
    drover,
    json,
    begin,
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.kill()
      timers.clear()
      sender[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
