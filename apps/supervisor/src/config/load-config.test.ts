/** The file as a whole: defaults, every kind of mistake with its sentence, and what has another effect than one may think. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SupervisorConfigError } from './finding.ts'
import { findStorageDirectory, loadSupervisorConfig } from './load-config.ts'
import { errorsIn, least, load, said, testHost } from './test-host.ts'

/** The least file with more keys of a section. */
const withServer = (lines: string) => least.replace('server:\n', `server:\n  ${lines.replaceAll('\n', '\n  ')}\n`)
const withAgent = (lines: string) => `${least}  ${lines.replaceAll('\n', '\n  ')}\n`
const wss = (lines: string) => withServer(lines).replace('ws://127.0.0.1:4320', 'wss://drover.example.com')

describe('loadSupervisorConfig', () => {
  it('fills in the defaults of the stock supervisor, and ours: no remote configuration unless asked for [SEC-08]', () => {
    const { config } = load(least)
    expect({ ...config, capabilities: [...config.capabilities] }).toEqual({
      server: { endpoint: 'ws://127.0.0.1:4320/v1/opamp', headers: [], tls: {}, proxy: { kind: 'environment' } },
      capabilities: ['ReportsStatus', 'ReportsEffectiveConfig', 'ReportsHealth', 'ReportsHeartbeat', 'ReportsOwnMetrics', 'ReportsConnectionSettingsStatus'],
      agent: {
        executable: '/otelcol',
        args: [],
        env: {},
        orphanDetectionIntervalMs: 5_000,
        configApplyTimeoutMs: 5_000,
        bootstrapTimeoutMs: 3_000,
        opampServerPort: 0,
        passthroughLogs: false,
        useHupConfigReload: false,
        startupFallbackConfigs: [],
        crashLogSnippetKib: 4,
        configFiles: [{ kind: 'own-telemetry' }, { kind: 'opamp-extension' }, { kind: 'remote' }],
        description: { identifyingAttributes: {}, nonIdentifyingAttributes: {}, includeResourceAttributes: false },
      },
      storageDirectory: '/var/lib/otelcol/supervisor',
      telemetry: { logLevel: 'info', logOutputPaths: ['stdout'], resource: {}, export: {} },
      drover: {
        agent: { kind: 'collector' },
        connection: { allowWeakerTls: false, proofTimeoutMs: 20_000 },
        logs: { maxFileBytes: 10 * 2 ** 20, maxFiles: 3 },
        stopTimeoutMs: 10_000,
      },
    })
  })

  it('reads everything that a file may say', () => {
    const { config, notes } = load(
      `server:
  endpoint: https://user@drover.example.com/v1/opamp
  headers: {Authorization: ["Bearer \${env:TOKEN}"], X-Two: [a, b], X-One: c, X-Split: "d,e"}
capabilities: {accepts_remote_config: true, reports_remote_config: true, accepts_restart_command: true, accepts_opamp_connection_settings: true, reports_available_components: true, reports_own_logs: true, reports_own_traces: true, reports_own_metrics: false, reports_health: "\${env:UNSET_HEALTH:-false}", reports_heartbeat: false, reports_effective_config: false}
agent:
  executable: bin/otelcol
  args: [--feature-gates, a]
  env: {PORT: "\${env:PORT}"}
  instance_id: "{01890A5D-AC96-774B-BCCE-B302099A8057}"
  orphan_detection_interval: 1.5s
  config_apply_timeout: 1m30s
  bootstrap_timeout: 250ms
  opamp_server_port: \${env:PORT}
  passthrough_logs: true
  use_hup_config_reload: true
  collector_crash_log_snippet_kib: 0
  startup_fallback_configs: [/etc/fallback.yaml]
  config_files: [/etc/base.yaml, $REMOTE_CONFIG, $OWN_TELEMETRY_CONFIG]
  description: {identifying_attributes: {client.id: x}, non_identifying_attributes: {env: prod}, include_resource_attributes: true}
storage: {directory: state}
healthcheck: {endpoint: "localhost:13133"}
telemetry:
  logs: {level: DEBUG, output_paths: [stderr, file:///var/log/a.log, b.log]}
  resource: {service.namespace: demo, nothing: null}
drover:
  agent: {stop_timeout: 1m}
  connection: {allow_weaker_tls: true, proof_timeout: 10s, proxy: "http://proxy.example.com:3128"}
  logs: {max_file_size: 64KiB, max_files: 1}
`,
      { env: { TOKEN: 'abc', PORT: '4319' }, files: { '/here/bin/otelcol*': '', '/etc/fallback.yaml': '', '/etc/base.yaml': '' } },
    )
    expect(notes).toEqual([])
    expect({ ...config, capabilities: [...config.capabilities] }).toEqual({
      server: {
        endpoint: 'https://user@drover.example.com/v1/opamp',
        headers: [
          ['Authorization', 'Bearer abc'],
          ['X-Two', 'a'],
          ['X-Two', 'b'],
          ['X-One', 'c'],
          ['X-Split', 'd'],
          ['X-Split', 'e'],
        ],
        tls: {},
        proxy: { kind: 'url', url: 'http://proxy.example.com:3128', connectHeaders: [] },
      },
      capabilities: [
        'ReportsStatus',
        'AcceptsRemoteConfig',
        'ReportsRemoteConfig',
        'ReportsAvailableComponents',
        'AcceptsRestartCommand',
        'AcceptsOpAMPConnectionSettings',
        'ReportsOwnLogs',
        'ReportsOwnTraces',
        'ReportsConnectionSettingsStatus',
      ],
      agent: {
        executable: '/here/bin/otelcol',
        args: ['--feature-gates', 'a'],
        env: { PORT: '4319' },
        instanceId: '01890a5d-ac96-774b-bcce-b302099a8057',
        orphanDetectionIntervalMs: 1_500,
        configApplyTimeoutMs: 90_000,
        bootstrapTimeoutMs: 250,
        opampServerPort: 4319,
        passthroughLogs: true,
        useHupConfigReload: true,
        startupFallbackConfigs: ['/etc/fallback.yaml'],
        crashLogSnippetKib: 0,
        configFiles: [{ kind: 'file', path: '/etc/base.yaml' }, { kind: 'remote' }, { kind: 'own-telemetry' }, { kind: 'opamp-extension' }],
        description: { identifyingAttributes: { 'client.id': 'x' }, nonIdentifyingAttributes: { env: 'prod' }, includeResourceAttributes: true },
      },
      storageDirectory: '/here/state',
      telemetry: { logLevel: 'debug', logOutputPaths: ['stderr', '/var/log/a.log', '/here/b.log'], resource: { 'service.namespace': 'demo' }, export: {} },
      healthcheck: { host: 'localhost', port: 13_133, path: '/health' },
      drover: {
        agent: { kind: 'collector' },
        connection: { allowWeakerTls: true, proofTimeoutMs: 10_000 },
        logs: { maxFileBytes: 65_536, maxFiles: 1 },
        stopTimeoutMs: 60_000,
      },
    })
  })

  it('puts the special files where the stock supervisor puts them', () => {
    const kinds = (files: string) =>
      load(withAgent(`config_files: [${files}]`), { files: { '/here/a': '', '/here/b': '' } }).config.agent.configFiles.map(({ kind }) => kind)
    expect(kinds('a, b')).toEqual(['own-telemetry', 'file', 'file', 'opamp-extension', 'remote'])
    expect(kinds('a, $REMOTE_CONFIG, b')).toEqual(['own-telemetry', 'file', 'remote', 'file', 'opamp-extension'])
    expect(kinds('$REMOTE_CONFIG, $OPAMP_EXTENSION_CONFIG, a, $OWN_TELEMETRY_CONFIG')).toEqual(['remote', 'opamp-extension', 'file', 'own-telemetry'])
  })

  it('says everything that is wrong at once, in the order of the file', () => {
    expect(errorsIn('server:\n  endpoint: tcp://x\n  enpoint: y\nagent:\n  executable: /none\n  config_apply_timeout: soon\n')).toEqual([
      '2:3: error: server.endpoint: takes an address that begins with ws://, wss://, http:// or https://',
      '3:3: error: server.enpoint: there is no such key: did you mean endpoint?',
      '5:3: error: agent.executable: there is no file /none',
      '6:3: error: agent.config_apply_timeout: takes a time span such as 5s, 1m30s or 500ms',
    ])
  })

  it.each([
    ['a: 1\na: 2\n', '2:1: error: the key "a" is set twice in the same map'],
    ['a:\n\tb: 1\n', '2:1: error: a line starts with a tab; indent with spaces'],
    ['', ' error: server: endpoint must be given: where the Server is, such as wss://drover.example.com/v1/opamp'],
    [
      withServer('').replace(/ {2}endpoint.*\n/, ''),
      '1:1: error: server: endpoint must be given: where the Server is, such as wss://drover.example.com/v1/opamp',
    ],
    ['server: here\n', '1:1: error: server: takes keys of its own, and this is a text'],
    [withServer('headers: x'), '2:3: error: server.headers: takes a map of header names and values, and this is a text'],
    [withServer('headers: {A: [1]}'), '2:17: error: server.headers.A[0]: takes a text, and this is the number 1: put it in quotes'],
    [withServer('headers: {"a b": x}'), '2:13: error: server.headers["a b"]: cannot be the name of a header'],
    [withServer('headers: {A: "x\\ny"}'), '2:13: error: server.headers.A: has a character that cannot be in a header, such as a line end'],
    [withServer('auth: oidc'), '2:3: error: server.auth: there is no extension of this name under extensions'],
    [withServer('tls: {ca_fil: x}'), '2:9: error: server.tls.ca_fil: there is no such key: did you mean ca_file?'],
    [`${least}capabilities: {reports_health: "true"}\n`, '5:16: error: capabilities.reports_health: takes true or false, and this is a text'],
    [`${least}capabilities: {reports_health: 1}\n`, '5:16: error: capabilities.reports_health: takes true or false, and this is the number 1'],
    [`${least}capabilities: {accepts_packages: true}\n`, '5:16: error: capabilities.accepts_packages: cannot be true: there is no package installation yet'],
    [
      `${least}capabilities: {reports_package_statuses: true}\n`,
      '5:16: error: capabilities.reports_package_statuses: cannot be true: there is no package installation yet',
    ],
    [
      `${least}capabilities: {accepts_package_available: true}\n`,
      '5:16: error: capabilities.accepts_package_available: there is no such key: the key is capabilities.accepts_packages, and there is no package installation yet',
    ],
    [
      withAgent('accepts_remote_config: true'),
      '5:3: error: agent.accepts_remote_config: there is no such key here: did you mean capabilities.accepts_remote_config?',
    ],
    [withAgent('run_as: me'), '5:3: error: agent.run_as: there is no such key: it was planned and never built: run the supervisor itself as that user'],
    [withAgent('xyzzy: 1'), '5:3: error: agent.xyzzy: there is no such key'],
    [least.replace('/otelcol', ''), '3:1: error: agent: executable must be given: the program to run'],
    [least.replace('/otelcol', '/folder'), '4:3: error: agent.executable: /folder is not a file'],
    [least.replace('/otelcol', '/plain'), '4:3: error: agent.executable: /plain is not executable: chmod +x it'],
    [withAgent('instance_id: 42x'), '5:3: error: agent.instance_id: takes a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057'],
    [withAgent('config_apply_timeout: 5'), '5:3: error: agent.config_apply_timeout: takes a time span with a unit, such as 5s'],
    [withAgent('config_apply_timeout: 0s'), '5:3: error: agent.config_apply_timeout: must be longer than 0'],
    [withAgent('bootstrap_timeout: -1s'), '5:3: error: agent.bootstrap_timeout: must be longer than 0'],
    [withAgent('bootstrap_timeout: 9999h'), '5:3: error: agent.bootstrap_timeout: is too long: up to 596h are possible'],
    [withAgent('orphan_detection_interval: [1s]'), '5:3: error: agent.orphan_detection_interval: takes a time span such as 5s or 1m30s, and this is a list'],
    [withAgent('opamp_server_port: 65536'), '5:3: error: agent.opamp_server_port: takes a whole number from 0 to 65535'],
    [withAgent('opamp_server_port: 1.5'), '5:3: error: agent.opamp_server_port: takes a whole number from 0 to 65535'],
    [withAgent('opamp_server_port: x'), '5:3: error: agent.opamp_server_port: takes a whole number from 0 to 65535, and this is a text'],
    [withAgent('collector_crash_log_snippet_kib: 1025'), '5:3: error: agent.collector_crash_log_snippet_kib: takes a whole number from 0 to 1024'],
    [withAgent('env: {PORT: 4317}'), '5:9: error: agent.env.PORT: takes a text, and this is the number 4317: put it in quotes'],
    [withAgent('env: [A=b]'), '5:3: error: agent.env: takes a map of names and texts, and this is a list'],
    [withAgent('args: {a: b}'), '5:3: error: agent.args: takes a text, and this is a map'],
    [
      withAgent('config_files: [$REMOTE]'),
      '5:18: error: agent.config_files[0]: there is no special file $REMOTE: $OWN_TELEMETRY_CONFIG, $OPAMP_EXTENSION_CONFIG, $REMOTE_CONFIG are known',
    ],
    [withAgent('startup_fallback_configs: [/none]'), '5:30: error: agent.startup_fallback_configs[0]: there is no file /none'],
    [`${least}storage: {path: x}\n`, '5:11: error: storage.path: there is no such key: the key is storage.directory'],
    [`${least}healthcheck: {endpoint: "a:70000"}\n`, '5:15: error: healthcheck.endpoint: takes a port up to 65535'],
    [
      `${least}healthcheck: {endpoint: "a:1", tls: {}}\n`,
      '5:32: error: healthcheck.tls: is not supported: the health endpoint is plain HTTP, so serve it on 127.0.0.1',
    ],
    [`${least}telemetry: {logs: {level: loud}}\n`, '5:20: error: telemetry.logs.level: takes one of debug, info, warn, error'],
    [`${least}telemetry: {logs: {output_paths: ["syslog://x"]}}\n`, '5:35: error: telemetry.logs.output_paths[0]: takes stdout, stderr or a file'],
    [`${least}drover: {logs: {max_file_size: 1KiB}}\n`, '5:17: error: drover.logs.max_file_size: takes a size from 64KiB to 1024MiB'],
    [`${least}drover: {logs: {max_file_size: big}}\n`, '5:17: error: drover.logs.max_file_size: takes a size such as 10MiB'],
    [
      `${least}drover: {connection: {proxy: ftp://x}}\n`,
      '5:23: error: drover.connection.proxy: takes environment, none, or an address that begins with http://, https:// or socks5://',
    ],
    [`${least}drover: {agent: {kind: vector}}\n`, '5:18: error: drover.agent.kind: takes one of collector, process'],
    [`${least}drover: {agent: {config_file: /x}}\n`, '5:18: error: drover.agent.config_file: is for kind: process; for a Collector the supervisor knows it'],
  ])('%j is wrong', (text, sentence) => {
    expect(errorsIn(text, { files: { '/plain': '' } })).toContain(sentence)
  })

  it.each([
    [
      withAgent('validate_config: false'),
      '5:3: note: agent.validate_config: has no effect: a new configuration is always checked before the running one is touched, for that is what keeps the telemetry flowing',
    ],
    [
      withAgent('automatic_config_rollback: false'),
      '5:3: note: agent.automatic_config_rollback: has no effect: the last good configuration always comes back, for that is what keeps the telemetry flowing',
    ],
    [withAgent('package: {archive: tar.gz}'), '5:3: note: agent.package: has no effect: there is no package installation yet'],
    [withAgent('config_files: [gone.yaml]'), '5:18: warning: agent.config_files[0]: there is no file /here/gone.yaml: it is left out until there is'],
    [
      withServer('headers: {Authorization: x}').replace('127.0.0.1', 'drover.example.com'),
      '3:3: warning: server.endpoint: what is in the headers can be read on the way to drover.example.com: use wss://',
    ],
    [withServer('tls: {ca_file: /x}'), '2:9: note: server.tls.ca_file: has no effect: the endpoint is without TLS'],
    [
      wss('tls: {insecure: true}'),
      '2:9: note: server.tls.insecure: has no effect: the scheme of server.endpoint decides whether there is TLS, for the stock supervisor as well',
    ],
    [
      `${least}healthcheck: {endpoint: "13133"}\n`,
      '5:15: warning: healthcheck.endpoint: has no effect, as for the stock supervisor: it takes HOST:PORT, such as 127.0.0.1:13133',
    ],
    [
      withAgent('config_files: [$REMOTE_CONFIG, $REMOTE_CONFIG]'),
      '5:18: warning: agent.config_files[0]: $REMOTE_CONFIG is there again further down, and that place counts',
    ],
    [`${least}healthcheck: {endpoint: "a:0"}\n`, '5:15: note: healthcheck.endpoint: has no effect: port 0 switches it off, as for the stock supervisor'],
    [`${least}healthcheck: {read_timeout: 1s}\n`, '5:15: note: healthcheck.read_timeout: has no effect: the health endpoint has fixed limits'],
    [`${least}telemetry: {metrics: {level: detailed}}\n`, '5:23: note: telemetry.metrics.level: has no effect: the supervisor has one set of metrics'],
    [
      `${least}capabilities: {accepts_remote_config: true}\n`,
      '5:1: note: capabilities: without reports_remote_config: true nobody is told whether a configuration was applied',
    ],
    [`${least}capabilities: {}\n`, '5:1: note: capabilities: without accepts_remote_config: true the Server cannot configure the agent'],
    [`${least}extensions: {bearertokenauth: {token: x}}\n`, '5:14: note: extensions.bearertokenauth: has no effect: server.auth does not name it'],
  ])('%j is remarked on', (text, sentence) => {
    expect(said(text)).toContain(sentence)
    expect(errorsIn(text)).toEqual([])
  })

  it('says of broken YAML what is wrong first', () => {
    expect(errorsIn('a: {b: 1}c: {d: 2}\n')).toEqual(['1:10: error: Unexpected scalar at node end'])
  })

  it('takes a key without a value for no key', () => {
    expect(load(`${least}  config_apply_timeout:\ncapabilities:\n  reports_health:\ntelemetry:\n`).config).toEqual(load(least).config)
  })

  it('takes an empty reference for an empty value, as the stock supervisor does', () => {
    const { config } = load(`${least}capabilities:\n  reports_health: \${env:NONE}\n`)
    expect(config.capabilities.has('ReportsHealth')).toBe(false)
    expect(errorsIn(withAgent('config_apply_timeout: ${env:NONE}'))).toEqual(['5:3: error: agent.config_apply_timeout: must be longer than 0'])
  })

  it('has other defaults and limits on Windows', () => {
    expect(load(least, { platform: 'win32', env: { ProgramData: 'D:\\Data' } }).config.storageDirectory).toContain('D:\\Data')
    expect(errorsIn(withAgent('use_hup_config_reload: true'), { platform: 'win32' })).toEqual([
      '5:3: error: agent.use_hup_config_reload: is not possible on Windows',
    ])
  })

  it('takes keys with two colons for keys within sections, as the stock supervisor does', () => {
    expect(load(`${least}agent::config_apply_timeout: 7s\nserver::tls::insecure: true\n`).config.agent.configApplyTimeoutMs).toBe(7_000)
    expect(errorsIn(`${least}agent::nope: 1\nnope::x: 1\n`)).toEqual([
      '5:1: error: agent::nope.nope: there is no such key',
      '6:1: error: nope::x: there is no such key',
    ])
  })

  it.each(['Info', 'WARNING', 'fatal', 'debug'])('knows the log level %s', (level) => {
    expect(['debug', 'info', 'warn', 'error']).toContain(load(`${least}telemetry: {logs: {level: ${level}}}\n`).config.telemetry.logLevel)
  })

  it('puts no value of the file into what it says', () => {
    const text = withServer('headers: {Authorization: "canary\\u0001"}\nauth: canary').replace('/otelcol', 'canary-program')
    expect(JSON.stringify(errorsIn(text)).replaceAll('canary-program', '')).not.toContain('canary')
  })

  it('reads the file, or what the environment has', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-config-'))
    const file = join(folder, 'supervisor.yaml')
    const text = least.replace('/otelcol', process.execPath)
    writeFileSync(file, text)
    try {
      for (const path of [file, `file:${file}`]) expect(loadSupervisorConfig(path, {}).config.agent.executable).toBe(process.execPath)
      expect(loadSupervisorConfig('env:FILE', { FILE: text }).config.agent.executable).toBe(process.execPath)
      expect(() => loadSupervisorConfig(folder, {})).toThrow(`${folder}: error: ${folder} is not a file`)
      expect(() => loadSupervisorConfig(join(folder, 'none'), {})).toThrow(`cannot read ${join(folder, 'none')}: there is no such file`)
      expect(() => loadSupervisorConfig('env:NONE', {})).toThrow('env:NONE: error: the environment variable NONE is not set')
      expect(() => loadSupervisorConfig('', {})).toThrow(SupervisorConfigError)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('finds the storage directory of a file that is wrong otherwise', () => {
    const host = testHost({ files: { '/here/s.yaml': 'storage: {directory: "${env:DIR}/state"}\nnonsense: 1\n' }, env: { DIR: '/data' } })
    expect(findStorageDirectory('s.yaml', host.env, host)).toBe('/data/state')
  })
})
