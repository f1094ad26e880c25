/** Precedence, spelling and messages of the configuration. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeTempDir } from '../storage/test-store.ts'
import { ConfigError, loadConfig } from './load-config.ts'
import type { ConfigSources } from './load-config.ts'

let dir: ReturnType<typeof makeTempDir>
beforeEach(() => {
  dir = makeTempDir()
})
afterEach(() => dir.remove())

function file(text: string): string {
  const path = join(dir.path, 'drover.yaml')
  writeFileSync(path, text)
  return path
}

function problemsOf(sources: ConfigSources): readonly string[] {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('loadConfig', () => {
  it('needs nothing: both listeners on loopback, agents at port 4320, data beside it [GEN-05]', () => {
    expect(loadConfig()).toMatchObject({
      dataDir: 'data',
      agentsListen: { host: '127.0.0.1', port: 4320 },
      consoleListen: { host: '127.0.0.1', port: 4321 },
      demoAgents: 0,
      readyFile: null,
    })
  })

  it('takes flag over environment over file', () => {
    const sources = {
      file: file('data: from-file\ndemo: 1\nlog-level: debug\n'),
      env: { DROVER_DATA: 'from-env', DROVER_DEMO: '2', OTHER: 'x' },
      flags: { data: 'from-flag', demo: undefined },
    }
    expect(loadConfig(sources)).toMatchObject({ dataDir: 'from-flag', demoAgents: 2, logLevel: 'debug' })
  })

  it('finds the file by DROVER_CONFIG', () => {
    expect(loadConfig({ env: { DROVER_CONFIG: file('demo: 7') } }).demoAgents).toBe(7)
  })

  it('understands a name in any spelling, and numbers and switches as YAML writes them', () => {
    expect(loadConfig({ file: file('agentsListen: "[::1]:0"\nconsole_listen: 127.0.0.1:0\nallow-plain-http: true\n') })).toMatchObject({
      agentsListen: { host: '::1', port: 0 },
      consoleListen: { host: '127.0.0.1', port: 0 },
      allowPlainHttp: true,
    })
  })

  it('refuses to listen on other addresses without being told that plain HTTP is meant', () => {
    for (const address of [':4320', '0.0.0.0:4320', '10.0.0.5:4320', 'example.com:1', '[::]:4320']) {
      expect(problemsOf({ flags: { 'agents-listen': address } })).toEqual([expect.stringContaining('--allow-plain-http')])
    }
    expect(loadConfig({ flags: { 'agents-listen': ':4320', 'allow-plain-http': true } }).agentsListen).toEqual({ host: '::', port: 4320 })
    expect(problemsOf({ flags: { 'agents-listen': '127.1.2.3:4320' } })).toEqual([])
  })

  it('lists every error with its place', () => {
    const path = file('demo: many\ncolour: red\nconsole-listen: [1, 2]\n')
    expect(problemsOf({ file: path, env: { DROVER_LOG_LEVEL: 'loud' }, flags: { 'agents-listen': 'here', nonsense: 1 } })).toEqual([
      '--nonsense: there is no such option',
      expect.stringMatching(/drover\.yaml:2: colour: there is no such option; known are data,/),
      expect.stringMatching(/drover\.yaml:3: console-listen: has to be a single value/),
      expect.stringMatching(/--agents-listen: "here" is not HOST:PORT/),
      expect.stringMatching(/drover\.yaml:1: demo: "many" is not a whole number/),
      expect.stringMatching(/DROVER_LOG_LEVEL in the environment: "loud" is none of/),
    ])
  })

  it('says where YAML is broken and when the file is missing', () => {
    expect(problemsOf({ file: file('demo: 1\n  data: [') })[0]).toMatch(/drover\.yaml:\d/)
    expect(problemsOf({ file: file('- a') })[0]).toMatch(/option: value/)
    expect(problemsOf({ file: join(dir.path, 'none.yaml') })[0]).toMatch(/none\.yaml: cannot be read/)
    expect(loadConfig({ file: file('# only a comment\n') }).demoAgents).toBe(0)
  })

  it('refuses an address with a user or query, and one listener for both', () => {
    expect(problemsOf({ flags: { 'agents-url': 'http://u:p@h/' } })).toHaveLength(1)
    expect(problemsOf({ flags: { 'console-url': 'ftp://h/' } })).toHaveLength(1)
    expect(problemsOf({ flags: { 'agents-listen': '127.0.0.1:9', 'console-listen': '127.0.0.1:9' } })[0]).toMatch(/listeners of their own/)
  })

  it('reads a header without repeating it when it is none', () => {
    const header = (text: string) => loadConfig({ flags: {}, env: { DROVER_TELEMETRY_FORWARD_HEADER: text } }).telemetryForwardHeader
    expect(header('Authorization: Bearer a: b')).toEqual({ name: 'Authorization', value: 'Bearer a: b' })
    for (const text of ['s3cret', 'a b: s3cret', 'X: s3cret\r\nY: z', ': s3cret']) expect(() => header(text)).toThrow(/is not a header such as(?!.*s3cret)/s)
  })
})
