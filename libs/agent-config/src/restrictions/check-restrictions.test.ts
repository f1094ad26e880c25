import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composeCollectorConfig } from '../collector/compose-collector-config.ts'
import type { CollectorConfigInput } from '../collector/compose-collector-config.ts'
import type { Restrictions } from './check-restrictions.ts'

const environment: Readonly<Record<string, string>> = {
  GATEWAY: 'gw.example.com',
  LOGS: '/var/log/app',
  KEY_FILE: '/root/.ssh/id_rsa',
  EMPTY: '',
  DOLLAR: '$',
  LIST: '[/etc/shadow]',
}

function compose(restrictions: Restrictions | undefined, remote: readonly string[], local?: string) {
  const input: CollectorConfigInput = {
    sources: [...(local === undefined ? [] : [{ kind: 'file', path: '/etc/local.yaml', body: local } as const]), { kind: 'remote' }],
    acceptsRemoteConfig: true,
    remote: remote.map((body, index) => ({ name: `${index}.yaml`, contentType: '', body })),
    ownTelemetry: undefined,
    resourceAttributes: {},
    extension: { instanceUid: '01939b5c-0000-7000-8000-000000000007', port: 1, supervisorPid: 1, pollIntervalMs: 1, reportsAvailableComponents: false },
    allowsNoPipelines: true,
    ...(restrictions === undefined
      ? {}
      : { restrictions: { ...restrictions, valueOf: (name: string) => (Object.hasOwn(environment, name) ? environment[name] : undefined) } }),
  }
  return composeCollectorConfig(input)
}

function reasonFor(restrictions: Restrictions, remote: string | readonly string[], local?: string): string | undefined {
  const result = compose(restrictions, typeof remote === 'string' ? [remote] : remote, local)
  return result.kind === 'rejected' ? result.reason.replace('this host does not allow that (drover.restrictions): ', '') : undefined
}

const components: Restrictions = { components: { receiver: ['otlp', 'hostmetrics', 'receiver_creator'], exporter: [] } }
const paths: Restrictions = { components: {}, paths: ['/var/log', '/etc/otel/ca.pem', '/opt/scripts/'] }
const references: Restrictions = { components: {}, references: ['env'] }
const filelog = (include: string) => `receivers: {filelog: {include: ${include}}}`

describe('restrictions of components', () => {
  it('allow by type, and all of a kind that is not named [SEC-05] [SEC-06]', () => {
    expect(reasonFor(components, 'receivers: {otlp: , otlp/2: {}, hostmetrics: }\nprocessors: {anything: }\nservice: {pipelines: }')).toBeUndefined()
    expect(reasonFor(components, 'receivers: {otlp: , filelog/a: {}}')).toBe(
      'receivers.filelog/a in "0.yaml": the receiver "filelog/a" is refused: of receivers only otlp, hostmetrics, receiver_creator are allowed here',
    )
    expect(reasonFor(components, 'exporters: {debug: }')).toContain('the exporter "debug" is refused: no exporters are allowed here')
  })

  it.each([
    'receivers: {Otlp: }',
    'receivers: {"otlp\\u200b": }',
    'receivers: {"оtlp": }',
    'receivers: {__proto__: {otlp: }}',
    'receivers: [otlp]',
    'receivers: "${env:RECEIVERS}"',
    'receivers: {"${env:TYPE}": }',
    'receivers::filelog: {}',
    '"receivers::filelog::include": [a]',
    'Receivers: {filelog: }',
    '__proto__: {receivers: {filelog: }}',
    'receivers: {otlp: "${file:/x}"}',
    'receivers: {receiver_creator: {receivers: {filelog: {}}}}',
    'receivers: {receiver_creator: {receivers: "${yaml:{filelog: }}"}}',
    'extensions: {x: {list: [{receivers: {filelog: }}]}}',
  ])('are not got round by %s', (remote) => {
    expect(reasonFor(components, remote)).toBeTypeOf('string')
  })

  it('hold for what a local file defines as well: it may be used, not changed [SEC-07]', () => {
    const local = 'receivers: {filelog: {include: [/srv/x]}}'
    expect(reasonFor(components, 'service: {pipelines: {logs: {receivers: [filelog]}}}', local)).toBeUndefined()
    expect(reasonFor(components, 'receivers: {filelog: {include: [/srv/y]}}', local)).toContain('the receiver "filelog" is refused')
  })
})

describe('restrictions of paths', () => {
  it.each([
    filelog('[/var/log, /var/log/a.log, //var/./log//b-*.log, "/var/log/**/[ab]?.log"]'),
    filelog('"/var/log/a,/var/log/b"'),
    filelog('["${env:LOGS}/x.log", "${LOGS}/y", "/var/log/${env:NONE:-all}"]'),
    'exporters: {otlp: {endpoint: "${env:GATEWAY}:4317", tls: {ca_file: /etc/otel/ca.pem}}}',
    'exporters: {otlphttp: {endpoint: "https://${env:GATEWAY}/v1", headers: {Authorization: "Basic a/b=", X-Key: "${env:KEY_FILE}"}}}',
    'extensions: {bearertokenauth: {token: "${file:/var/log/token}"}}',
    'receivers: {otlp/2: {protocols: {http: {endpoint: "0.0.0.0:4318", traces_url_path: /v1/traces}}}}\nservice: {pipelines: {logs/a: {receivers: [otlp/2]}}}',
    'extensions: {health_check: {path: /health}, oauth2client/x: }\nexporters: {otlp: {auth: {authenticator: oauth2client/x}}}',
    'receivers: {webhookevent: {path: /events}, prometheus: {config: {scrape_configs: [{metrics_path: /metrics}]}}}',
    'processors: {filter/a: {error_mode: ignore, traces: {span: [\'attributes["http.route"] == "/health"\']}}}',
    'processors: {transform: {log_statements: ["set(attributes[\\"p\\"], \\"/etc\\")"]}}',
    'service: {telemetry: {logs: {output_paths: [stdout, /var/log/otel.log]}, resource: {service.name: a/b}}}',
    'receivers: {docker_stats: {endpoint: "unix:///var/log/x.sock"}}',
  ])('let pass %s', (remote) => {
    expect(reasonFor(paths, remote)).toBeUndefined()
  })

  it.each([
    ['[/etc/shadow]', '"/etc/shadow" is outside: only files in /var/log, /etc/otel/ca.pem, /opt/scripts/ are allowed here'],
    ['[/var/logs/a]', 'is outside'],
    ['[/var/log/../../etc/shadow]', 'climbs with ..'],
    ['["/var/l*g/x"]', 'is outside'],
    ['["/var/log/{.,x}{.,y}/etc/shadow"]', 'is no plain path'],
    ['"/var/log/a,/etc/shadow"', 'is outside'],
    ['["file:///etc/shadow"]', 'is outside'],
    ['["FILE:/var/log/%2e%2e/x"]', 'is no plain path'],
    ['[etc/shadow]', 'may name a file by a relative path'],
    ['["**"]', 'names files by a relative path'],
    ['[".."]', 'names files by a relative path'],
    ['[shadow]', 'names a file by a relative path'],
    ['["http://x/../../etc/shadow"]', 'climbs with ..'],
    ['["http://{..}/{..}/etc/shadow"]', 'may name a file by a relative path'],
    ['["\\x2fetc\\u002fshadow"]', 'is outside'],
    ['["${env:KEY_FILE}"]', '"${env:KEY_FILE}" is outside'],
    ['["${env:EMPTY}/etc/shadow"]', 'is outside'],
    ['["${env:NONE:-/etc}/shadow"]', 'is outside'],
    ['"${env:LIST}"', 'may name a file by a relative path'],
    ['["${env:NONE:-\\"\\\\x2fetc\\"}"]', 'could become the name of a file'],
    ['["${env:${env:X}}"]', 'could become the name of a file'],
    ['"${yaml:[/var/log/x]}"', 'could become the name of a file'],
    ['["${file:/var/log/x}"]', 'could become the name of a file'],
  ])('refuse %s [SEC-03] [SEC-05]', (include, problem) => {
    expect(reasonFor(paths, filelog(include))).toContain(problem)
  })

  it.each([
    'receivers: {filelog: "${yaml:{include: [/etc/shadow]}}"}',
    'receivers: {filelog: {"include::x": [a]}}',
    'receivers: {filelog: {x: {/etc/shadow: a}}}',
    'exporters: {otlp: {tls: {key_file: key.pem}}}',
    'exporters: {file: {path: /etc/cron.d/x}}',
    'exporters: {otlp: {headers: {k: "${file:/etc/shadow}"}}}',
    'exporters: {otlp: {headers: {k: "${${env:A}:/etc/shadow}"}}}',
    'exporters: {otlp: {headers: {k: "${env:DOLLAR}{file:/etc/shadow}"}}}',
    'service: {telemetry: {logs: {output_paths: [/etc/profile.d/x.sh]}}}',
    'service: {telemetry: {logs: {output_paths: [x.log]}}}',
    'receivers: {docker_stats: {endpoint: "unix:///run/docker.sock"}}',
    'receivers: {x: {anything: $KEY_FILE}}',
    'receivers: {sqlquery: {datasource: "host=/run/postgresql"}}',
  ])('refuse %s', (remote) => {
    expect(reasonFor(paths, remote)).toBeTypeOf('string')
  })

  it.each(['command: /bin/sh', 'command: [sh, -c, id]', 'exec: "/opt/scripts/a.sh /etc/shadow"', 'executable: java', 'script: /opt/scripts/../x.sh'])(
    'refuse to run what is not in an allowed folder: %s [SEC-04]',
    (setting) => {
      expect(reasonFor(paths, `receivers: {some: {${setting}}}`)).toBeTypeOf('string')
      expect(reasonFor(paths, 'receivers: {some: {command: [/opt/scripts/check.sh]}}')).toBeUndefined()
    },
  )

  it('allow no file at all when the list is empty', () => {
    expect(reasonFor({ components: {}, paths: [] }, filelog('[/var/log/a]'))).toContain('no files are allowed here')
  })

  it('say nothing that looks like a secret', () => {
    expect(reasonFor(paths, 'receivers: {x: {client_secret: a/hunter2-canary}}')).toMatch(/client_secret in "0.yaml": "\[REDACTED\]" may name/)
  })
})

describe('restrictions of references', () => {
  it.each(['${env:A}', '${A}', 'a-${env:B:-c}-d', '$$5', '$1'])('let %s pass', (text) => {
    expect(reasonFor(references, `receivers: {x: {a: '${text}'}}`)).toBeUndefined()
  })

  it.each(['${file:/etc/shadow}', '${FILE:/x}', '${yaml:a}', '${env:${file:/x}}', '${${env:S}:/x}', '$${file:/x}', '${env:DOLLAR}{file:/x}', '${env:A'])(
    'refuse %s [SEC-05]',
    (text) => {
      expect(reasonFor(references, `receivers: {x: {a: '${text}'}}`)).toContain('is refused: only references to env are allowed here')
    },
  )

  it('refuse all when none is allowed', () => {
    expect(reasonFor({ components: {}, references: [] }, 'receivers: {x: {a: "${A}"}}')).toContain('no references are allowed here')
  })
})

it('names the first five violations with file and place, and counts the rest', () => {
  const reason = reasonFor({ ...paths, components: { receiver: [] } }, ['receivers: {a: , b: , c: , d: }', filelog('[/x, /y, /z]')])
  expect(reason).toMatch(/^receivers.a in "0.yaml": .*; receivers.filelog in "1.yaml": [^;]*; and 3 more$/)
})

/** One forbidden thing in many spellings; each has to be refused, and to be there without restrictions. */
describe('whatever the spelling', () => {
  const escaped = fc
    .constantFrom('/etc/shadow', '//etc/./shadow', '/var/log/../../etc/shadow', '/var/log/x,/etc/shadow', 'file:///etc/shadow', '/etc/sh[a]dow', '/etc/SHADOW')
    .chain((path) =>
      fc.array(fc.boolean(), { minLength: path.length, maxLength: path.length }).map((choices) => {
        const hex = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        return `"${Array.from(path, (character, index) => (choices[index] === true ? hex(character) : character)).join('')}"`
      }),
    )
  const anchored = (value: string, key: string): fc.Arbitrary<string> =>
    fc.constantFrom(
      `receivers:\n  allowed:\n    ${key}: ${value}\n`,
      `receivers: {allowed: {${key}: [${value}]}}\n`,
      `receivers: {allowed: {x: &a ${value}, ${key}: *a}}\n`,
      `receivers: {allowed/a: &a {${key}: ${value}}, allowed/b: {<<: *a}}\n`,
      `receivers: {allowed: {<<: [{${key}: ${value}}]}}\n`,
      `receivers: {allowed: {__proto__: {${key}: ${value}}}}\n`,
      `receivers: {allowed: {list: [[{${key}: !!str ${value}}]]}}\n`,
      `receivers: {allowed: {? "${key}" : ${value}}}\n---\nreceivers: {allowed: {${key}: /var/log/x}}\n`,
    )
  const others = fc.array(fc.constantFrom('receivers: {allowed: {include: [/var/log/a]}}', 'exporters: {nop: }', 'service: {pipelines: }', ''), {
    maxLength: 3,
  })
  const restrictions: Restrictions = { components: { receiver: ['allowed'] }, paths: ['/var/log'], references: ['env'] }

  function refuses(forbidden: string, before: readonly string[], after: readonly string[], canary: RegExp) {
    const remote = [...before, forbidden, ...after.filter((body) => !body.startsWith('receivers'))]
    const free = compose(undefined, remote)
    expect(free.kind === 'composed' ? free.text : free.reason).toMatch(canary)
    expect(compose(restrictions, remote)).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('drover.restrictions') as string })
  }

  it('no path slips through [SEC-03] [SEC-07]', () => {
    const keys = fc.constantFrom('include', 'path', 'ca_file', 'anything', 'ANY', '0')
    const spelled = fc.tuple(escaped, keys).chain(([value, key]) => anchored(value, key))
    fc.assert(fc.property(spelled, others, others, (forbidden, before, after) => refuses(forbidden, before, after, /sh(?:ad|\[a\]d)ow/i)))
  })

  it('no component slips through [SEC-05] [SEC-07]', () => {
    const id = fc.constantFrom(
      'filelog',
      'filelog/allowed',
      '"\\u0066ilelog"',
      'Filelog',
      'allowed filelog',
      'allowed-filelog',
      '"allowed\\u0000/filelog"',
      'constructor',
    )
    const spelled = id.chain((key) =>
      fc.constantFrom(
        `receivers: {${key}: }\n`,
        `receivers: {allowed: {receivers: {${key}: {}}}}\n`,
        `x: &a {${key}: {}}\nreceivers: *a\n`,
        `receivers: {<<: {${key}: {}}}\n`,
        `receivers: {allowed: , __proto__: {${key}: {}}}\n`,
        `__proto__: {receivers: {${key}: {}}}\n`,
        `Receivers: {${key}: {}}\n`,
        `receivers::x: {${key}: {}}\n`,
      ),
    )
    fc.assert(fc.property(spelled, others, others, (forbidden, before, after) => refuses(forbidden, before, after, /filelog|constructor/i)))
  })
})
