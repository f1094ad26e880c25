/** Programs other than a Collector. */
import { describe, expect, it } from 'vitest'
import { explainConfig } from './explain.ts'
import { least, load, said } from './test-host.ts'

const base = `${least}capabilities: {accepts_remote_config: true, reports_remote_config: true}\n`
const withKeys = (lines: string) => `${base}drover:\n  agent:\n    kind: process\n    ${lines.replaceAll('\n', '\n    ')}\n`

describe('drover.agent with kind: process', () => {
  it('describes a program in a few lines', () => {
    const loaded = load(
      withKeys(
        'name: fluent-bit\nversion_command: [/otelcol, --version]\nconfig_file: /etc/fluent-bit.conf\nvalidate_command: [/otelcol, --dry-run, -c, "{config}"]\nreload: {signal: SIGHUP}\nhealth: {url: "http://127.0.0.1:2020/api/v1/health", interval: 2s}\nstop_timeout: 3s',
      ),
    )
    expect(loaded.notes).toEqual([])
    expect(loaded.config.drover).toMatchObject({
      agent: {
        kind: 'process',
        name: 'fluent-bit',
        versionCommand: ['/otelcol', '--version'],
        configFile: '/etc/fluent-bit.conf',
        validateCommand: ['/otelcol', '--dry-run', '-c', '{config}'],
        reload: { kind: 'signal', signal: 'SIGHUP' },
        health: { kind: 'http', url: 'http://127.0.0.1:2020/api/v1/health', intervalMs: 2_000 },
      },
      stopTimeoutMs: 3_000,
    })
    expect([...loaded.config.capabilities]).toEqual([
      'ReportsStatus',
      'AcceptsRemoteConfig',
      'ReportsRemoteConfig',
      'ReportsEffectiveConfig',
      'ReportsHealth',
      'ReportsHeartbeat',
    ])
    const explained = explainConfig(loaded)
    expect(explained.sections[2]?.facts).toEqual([
      ['1.', 'what the Server offers ($REMOTE_CONFIG)'],
      ['written to', '/etc/fluent-bit.conf'],
    ])
    expect(explained.differences).toEqual(['The stock supervisor runs Collectors alone.'])
  })

  it('has commands for what signals and addresses cannot do', () => {
    expect(load(withKeys('config_file: x.conf\nversion: "1"\nreload: {command: [/reload]}\nhealth: {command: [/check]}')).config.drover.agent).toEqual({
      kind: 'process',
      name: 'otelcol',
      version: '1',
      configFile: '/here/x.conf',
      reload: { kind: 'command', command: ['/reload'] },
      health: { kind: 'command', command: ['/check'], intervalMs: 5_000 },
    })
  })

  it.each([
    ['name: x', '7:3: error: drover.agent: config_file must be given for kind: process: where the program reads its configuration'],
    [
      'config_file: /c\nvalidate_command: /bin/check {config}',
      '10:5: error: drover.agent.validate_command: takes a program and its arguments as a list, such as [/usr/bin/program, --check], and this is a text',
    ],
    [
      'config_file: /c\nvalidate_command: []',
      '10:5: error: drover.agent.validate_command: takes a program and its arguments as a list, such as [/usr/bin/program, --check], and this is a list',
    ],
    [
      'config_file: /c\nvalidate_command: [/bin/check]',
      '10:5: error: drover.agent.validate_command: must have {config} where the path of the configuration belongs: the one to check is not the one that runs',
    ],
    ['config_file: /c\nreload: {signal: SIGKILL}', '10:14: error: drover.agent.reload.signal: takes one of SIGHUP, SIGUSR1, SIGUSR2'],
    ['config_file: /c\nreload: {signal: SIGHUP, command: [x]}', '10:5: error: drover.agent.reload: give either signal or command'],
    ['config_file: /c\nhealth: {url: "tcp://x"}', '10:14: error: drover.agent.health.url: takes an http or https address'],
    ['config_file: /c\nhealth: {url: "http://x", command: [x]}', '10:5: error: drover.agent.health: give either url or command'],
  ])('%j is wrong', (lines, sentence) => {
    expect(said(withKeys(lines))).toEqual([sentence])
  })

  it('says which keys mean nothing to it', () => {
    const text = withKeys('config_file: /c').replace('agent:\n  exec', 'agent:\n  use_hup_config_reload: true\n  exec')
    expect(said(text)).toEqual(['4:3: note: agent.use_hup_config_reload: has no effect: it is for Collectors'])
  })
})
