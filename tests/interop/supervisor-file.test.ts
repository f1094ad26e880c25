/** The same files through the stock supervisor and ours: what it takes, ours takes, and what ours refuses besides is listed with the reason. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SupervisorConfigError, loadSupervisorConfig } from '@drover/supervisor'
import { describe, expect, it } from 'vitest'
import { createTemporaryFolder } from '../harness/index.ts'
import { buildPeer } from '../peers/build.ts'

const stock = await buildPeer('supervisor')

/** A file that both take, with lines added to a section or at the end. The program ends at once, so the stock supervisor does too. */
const file = ({ server = '', agent = '', end = '' }: { readonly server?: string; readonly agent?: string; readonly end?: string }) =>
  `server:\n  endpoint: ws://127.0.0.1:9/v1/opamp\n${indent(server)}agent:\n  executable: /bin/true\n  bootstrap_timeout: 100ms\n${indent(agent)}storage: {directory: storage}\n${end}\n`
const indent = (line: string) => (line === '' ? '' : `  ${line}\n`)
const server = (line: string) => file({ server: line })
const agent = (line: string) => file({ agent: line })
const end = (line: string) => file({ end: line })

const env = {
  PATH: process.env['PATH'] ?? '',
  TRUE: 'true',
  NUMBER: '5',
  LEADING: '0123',
  TIME: '1s',
  EMPTY: '',
  LIST: '[a, b]',
  TEXT: 'abc',
  MAP: '{a: b}',
  NESTED: '${env:TEXT}',
}

/** Both take these. */
const taken: readonly string[] = [
  file({}),
  server('headers: {A: [x], B: y, C: ["${env:LEADING}"], D: "a,b", E: "${env:LIST}"}'),
  server('headers:'),
  server('tls: {insecure: true}'),
  server('tls:'),
  agent('config_apply_timeout: ${env:TIME}'),
  agent('config_apply_timeout: 1m30.5s'),
  agent('passthrough_logs: ${env:TRUE}'),
  agent('passthrough_logs: "${env:TRUE}"'),
  agent('passthrough_logs: ${env:UNSET}'),
  agent('args: a,b'),
  agent('args: ["${env:NUMBER}", "${TRUE}", "${env:NESTED}", "${env:UNSET:-d}", "$${env:UNSET}", "$$", "a$b", "${open"]'),
  agent('args: ${env:LIST}'),
  agent('args:'),
  agent('env: {A: "${env:NUMBER}", B: }'),
  agent('env: ${env:MAP}'),
  agent('opamp_server_port: ${env:NUMBER}'),
  agent('instance_id: "{01890a5d-ac96-774b-bcce-b302099a8057}"'),
  agent('instance_id: "01890A5DAC96774BBCCEB302099A8057"'),
  agent('instance_id: urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057'),
  agent('instance_id: ${env:EMPTY}'),
  agent('config_files: [none.yaml, $REMOTE_CONFIG]'),
  agent('config_files: $REMOTE_CONFIG'),
  agent('config_files: [$$REMOTE_CONFIG]'),
  agent('config_files: [$REMOTE_CONFIG, $REMOTE_CONFIG]'),
  end('capabilities:'),
  end('agent::env: {A: b}'),
  end('healthcheck: {endpoint: ""}'),
  end('healthcheck: {endpoint: nonsense}'),
  end('healthcheck: {endpoint: "127.0.0.1:0"}'),
  end('telemetry: {logs: {level: Warning, output_paths: stderr}, metrics: {level: detailed}, resource: {a: b}}'),
  end('telemetry: {logs: {level: fatal}}'),
  end('telemetry: {traces: {processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "http://127.0.0.1:9"}}}}]}}'),
]

/** Neither takes these. */
const refused: readonly string[] = [
  server('headers: {A: 1}'),
  server('headers: {A: {b: c}}'),
  server('unknown: 1'),
  server('tls: {min_version: "1.4"}'),
  server('tls: {min_version: 1.2}'),
  server('tls: {unknown: 1}'),
  file({}).replace('ws:', 'tcp:'),
  file({}).replace('ws://127.0.0.1:9/v1/opamp', 'localhost:4320'),
  file({}).replace(/ {2}endpoint.*\n/, ''),
  file({}).replace('/bin/true', '/nonexistent'),
  agent('config_apply_timeout: 5x'),
  agent('config_apply_timeout: 0s'),
  agent('config_apply_timeout: ${env:EMPTY}'),
  agent('orphan_detection_interval: -1s'),
  agent('passthrough_logs: "true"'),
  agent('passthrough_logs: yes'),
  agent('passthrough_logs: 1'),
  agent('args: [1]'),
  agent('args: {a: b}'),
  agent('env: {A: 1}'),
  agent('env: [a]'),
  agent('opamp_server_port: "1"'),
  agent('opamp_server_port: 70000'),
  agent('instance_id: 01HWWSK84BMT7J45663BMJMTPJ'),
  agent('config_files: [$OTHER]'),
  agent('args: ["${env:1X}"]'),
  agent('args: ["${vault:x}"]'),
  agent('args: ["${file:/nonexistent}"]'),
  agent('args: ["${}"]'),
  end('unknown: 1'),
  end('Capabilities: {}'),
  end('capabilities: []'),
  end('capabilities: {accepts_packages: true}'),
  end('healthcheck: {endpoint: "127.0.0.1:99999"}'),
  end('telemetry: {logs: {level: loud}}'),
  end('server: {}'),
  '- a\n',
]

/** Ours refuses these, for a reason. */
const refusedByUsAlone: readonly (readonly [string, string])[] = [
  [agent('config_apply_timeout: 5'), 'it is five nanoseconds for the stock supervisor, which nobody means'],
  [agent('opamp_server_port: 1.5'), 'there is no such port'],
  [file({}).replace('/bin/true', '/tmp'), 'a folder cannot be run'],
  [`${file({})}---\nagent: {}\n`, 'what follows the first document would be ignored in silence'],
]

async function takenByStock(text: string): Promise<boolean> {
  await using folder = await createTemporaryFolder()
  const path = join(folder.path, 'supervisor.yaml')
  await mkdir(join(folder.path, 'storage'))
  await writeFile(path, text)
  const { promise, resolve } = Promise.withResolvers<string>()
  execFile(stock, ['--config', path], { cwd: folder.path, env, timeout: 5_000, killSignal: 'SIGKILL' }, (_error, stdout, stderr) => resolve(stdout + stderr))
  return !/failed to load config/.test(await promise)
}

async function takenByUs(text: string): Promise<boolean> {
  await using folder = await createTemporaryFolder()
  const path = join(folder.path, 'supervisor.yaml')
  await writeFile(path, text)
  try {
    loadSupervisorConfig(path, env)
    return true
  } catch (error) {
    if (error instanceof SupervisorConfigError) return false
    throw error
  }
}

describe('a file of the stock supervisor', () => {
  it.each(taken)('is taken by both: %j', async (text) => {
    expect({ stock: await takenByStock(text), ours: await takenByUs(text) }).toEqual({ stock: true, ours: true })
  })

  it.each(refused)('is refused by both: %j', async (text) => {
    expect({ stock: await takenByStock(text), ours: await takenByUs(text) }).toEqual({ stock: false, ours: false })
  })

  it.each(refusedByUsAlone)('is refused by ours alone: %j, for %s', async (text) => {
    expect({ stock: await takenByStock(text), ours: await takenByUs(text) }).toEqual({ stock: true, ours: false })
  })
})
