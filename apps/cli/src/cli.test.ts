/** Usage, exit codes, and where the connection's settings come from; no server is needed here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resolveConnection } from './connection.ts'
import { runTestCli } from './test-io.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('usage', () => {
  it.each([
    [['nonsense'], 'there is no command "nonsense"; drover --help lists them'],
    [['agents', 'nonsense'], 'there is no command "nonsense"; drover agents --help lists them'],
    [['agents', 'show'], "missing required argument 'agent'"],
    [['agents', 'list', '--limt', '3'], "unknown option '--limt'\n(Did you mean --limit?)"],
    [['agents', 'list', '--limit', 'many'], '--limit: "many" is not a whole number from 0 to 1000000'],
    [['agents', 'list', '-o', 'xml'], '-o, --output: "xml" is none of table, json, yaml'],
    [['agents', 'list', 'extra'], "too many arguments for 'list'. Expected 0 arguments but got 1."],
    [['tokens', 'create', '--expires-in', '3'], '--expires-in: "3" is not a time span such as 30m, 12h or 90d'],
    [['tokens', 'create', '--api', '--for', 'supervisor'], '--for is for agents: leave out --api'],
    [['status', '--url', 'ftp://x'], '"ftp://x" is not an http or https address such as http://127.0.0.1:4321'],
    [['status', '--token', 'two words'], 'the token cannot be one: a token is one word without spaces'],
    [['configs', 'render'], 'give either --agent or --group'],
    [['configs', 'create', 'x'], 'say which files with --file (- for stdin)'],
    [['agents', 'forget', 'web-1'], 'Forget web-1 with labels and history? Say --yes, as there is no terminal to ask on.'],
  ])('%j is wrong, and said to be', async (args, message) => {
    expect(await runTestCli(args)).toEqual({ code: 2, stdout: '', stderr: `drover: ${message}\n` })
  })

  it('shows help with examples on stdout', async () => {
    const { code, stdout, stderr } = await runTestCli(['tokens', 'create', '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(
      'Examples:\n  # a file for drover supervisor, or the stock opampsupervisor\n  drover tokens create my-hosts --for supervisor > supervisor.yaml\n',
    )
  })

  it('shows help on stderr when a group is called without a command', async () => {
    const { code, stdout, stderr } = await runTestCli(['agents'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Usage: drover agents')
  })

  it('prints the version', async () => {
    expect(await runTestCli(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' })
  })
})

describe('failures', () => {
  it('says that the server cannot be reached', async () => {
    expect(await runTestCli(['status', '--url', 'http://127.0.0.1:9'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'drover: cannot reach http://127.0.0.1:9: is the server running, and is --url or DROVER_URL right?\n',
    })
  })

  it('does nothing when the person does not agree', async () => {
    expect(await runTestCli(['agents', 'forget', 'x', '--url', 'http://127.0.0.1:9'], { answers: ['n'] })).toMatchObject({
      code: 1,
      stderr: 'drover: nothing was done\n',
    })
  })

  it('names the file that cannot be read', async () => {
    expect(await runTestCli(['configs', 'validate', '--offline', 'none.yaml'], { cwd: folder })).toMatchObject({
      code: 1,
      stderr: `drover: cannot read ${join(folder, 'none.yaml')}: there is no such file\n`,
    })
  })
})

describe('configs validate --offline', () => {
  it('needs no server, and gives file, line and column', async () => {
    writeFileSync(
      join(folder, 'bad.yaml'),
      'receivers:\n  otlp: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [nowhere]\n',
    )
    const { code, stdout, stderr } = await runTestCli(['configs', 'validate', '--offline', 'bad.yaml'], { cwd: folder })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^bad\.yaml:7:\d+: error: .*nowhere.* \(unknown-component\)$/m)
    expect(stderr).toBe('drover: it has an error\n')
  })

  it('accepts a good file from stdin, as JSON', async () => {
    const stdin = 'receivers:\n  otlp: {}\nexporters:\n  debug: {}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n'
    const { code, stdout } = await runTestCli(['configs', 'validate', '--offline', '-', '-o', 'json'], { stdin })
    expect({ code, result: JSON.parse(stdout) }).toEqual({ code: 0, result: { valid: true, findings: [], targets: null } })
  })

  it('reads the YAML files of a folder, and refuses two of one name', async () => {
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a', 'one.yaml'), 'x: [')
    writeFileSync(join(folder, 'a', 'ignored.txt'), ':')
    writeFileSync(join(folder, 'one.yaml'), 'x: 1')
    expect((await runTestCli(['configs', 'validate', '--offline', 'a'], { cwd: folder })).stdout).toMatch(/^one\.yaml:1:\d+: error: /)
    expect(await runTestCli(['configs', 'validate', '--offline', 'a', 'one.yaml'], { cwd: folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('two files are named one.yaml'),
    })
  })
})

describe('resolveConnection', () => {
  const none = { url: undefined, token: undefined, tokenFile: undefined }
  const tokenOf = (options: Parameters<typeof resolveConnection>[1], env: Record<string, string> = {}) =>
    resolveConnection({ env, cwd: folder }, options).headers()['authorization']

  it('takes flags over the environment over the data folder', () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'admin.token'), 'from-data\n')
    writeFileSync(join(folder, 'token'), 'from-file\n')
    expect(tokenOf(none)).toBe('Bearer from-data')
    expect(tokenOf(none, { DROVER_TOKEN: 'from-env' })).toBe('Bearer from-env')
    expect(tokenOf({ ...none, tokenFile: 'token' }, { DROVER_TOKEN: 'from-env' })).toBe('Bearer from-file')
    expect(tokenOf({ ...none, token: 'from-flag', tokenFile: 'token' })).toBe('Bearer from-flag')
  })

  it('finds the data folder that the server was told of', () => {
    mkdirSync(join(folder, 'elsewhere'))
    writeFileSync(join(folder, 'elsewhere', 'admin.token'), 'elsewhere')
    expect(tokenOf(none, { DROVER_DATA: 'elsewhere' })).toBe('Bearer elsewhere')
  })

  it("does not send this machine's token to another server", () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data', 'admin.token'), 'from-data')
    expect(tokenOf({ ...none, url: 'https://drover.example.com' })).toBeUndefined()
    expect(tokenOf({ ...none, url: 'http://localhost:9' })).toBe('Bearer from-data')
  })

  it('has a default address, which the environment and a flag change', () => {
    const urlOf = (url: string | undefined, env: Record<string, string> = {}) => resolveConnection({ env, cwd: folder }, { ...none, url }).url
    expect(urlOf(undefined)).toBe('http://127.0.0.1:4321')
    expect(urlOf(undefined, { DROVER_URL: 'https://a.example/' })).toBe('https://a.example')
    expect(urlOf('https://b.example/drover', { DROVER_URL: 'https://a.example/' })).toBe('https://b.example/drover')
  })
})
