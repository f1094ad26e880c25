import { describe, expect, it } from 'vitest'
import { checkComponents, parseComponentId } from './components.ts'
import { parseYaml } from './parse.ts'
import { validateCollectorConfig } from './validate.ts'

const good = `receivers:
  otlp:
    protocols: {grpc: {endpoint: "0.0.0.0:4317"}}
processors:
  batch:
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
`
const check = (body: string, as: 'complete' | 'fragment' = 'complete') => validateCollectorConfig([{ name: 'c.yaml', contentType: 'text/yaml', body }], { as })
const brief = (body: string, as: 'complete' | 'fragment' = 'complete') =>
  check(body, as).map(({ severity, code, line, path }) => `${severity} ${code} ${line} ${path ?? ''}`.trim())
const pipelines = (text: string) => `receivers: {otlp: , nop: }\nexporters: {debug: , nop: }\nservice:\n  pipelines:\n${text}`

describe('validateCollectorConfig', () => {
  it('has nothing to say about a good configuration', () => {
    expect(check(good)).toEqual([])
  })

  it('names component ids that nothing defines, with their place', () => {
    expect(check(good.replace('[otlp]', '[otlp, kafka]'))).toEqual([
      {
        severity: 'error',
        code: 'unknown-component',
        message: 'the pipeline "traces" uses receiver "kafka", which is not defined in receivers or connectors',
        file: 'c.yaml',
        line: 11,
        column: 25,
        path: 'service.pipelines.traces.receivers[1]',
      },
    ])
    expect(brief(good.replace('[batch]', '[batch, debug]'))).toEqual(['error unknown-component 12 service.pipelines.traces.processors[1]'])
    expect(brief(good.replace('[debug]', '[debug/2, debug]'))).toEqual(['error unknown-component 13 service.pipelines.traces.exporters[0]'])
  })

  it('wants a receiver and an exporter in each pipeline', () => {
    expect(brief(pipelines('    traces: {receivers: [otlp, nop]}\n    logs: {exporters: [debug, nop]}\n    metrics:\n'))).toEqual([
      'error pipeline-without-exporter 5 service.pipelines.traces.exporters',
      'error pipeline-without-receiver 6 service.pipelines.logs.receivers',
      'error pipeline-without-receiver 7 service.pipelines.metrics.receivers',
      'error pipeline-without-exporter 7 service.pipelines.metrics.exporters',
    ])
    expect(brief(pipelines('    traces: {receivers: [], exporters: [debug, nop]}\n')).slice(1)).toContain(
      'error pipeline-without-receiver 5 service.pipelines.traces.receivers',
    )
  })

  it('knows the four signals and the form of ids', () => {
    const pipeline = '{receivers: [otlp, nop], exporters: [debug, nop]}'
    expect(brief(pipelines(`    traces/2: ${pipeline}\n    profiles: ${pipeline}\n    events: ${pipeline}\n    "/x": ${pipeline}\n`))).toEqual([
      'error invalid-pipeline-type 7 service.pipelines.events',
      'error invalid-component-id 8 service.pipelines./x',
    ])
    expect(brief(`${good}extensions: {"bad id": , "1x": , "zpages/a b": }\n`).filter((text) => text.startsWith('error'))).toEqual([
      'error invalid-component-id 14 extensions["bad id"]',
      'error invalid-component-id 14 extensions.1x',
      'error invalid-component-id 14 extensions["zpages/a b"]',
    ])
  })

  it('warns about components that nothing uses', () => {
    expect(brief(good.replace('  debug:\n', '  debug:\n  kafka:\n').replace('  otlp:', '  nop:\n  otlp:'))).toEqual([
      'warning unused-component 2 receivers.nop',
      'warning unused-component 9 exporters.kafka',
    ])
  })

  it('checks extensions both ways', () => {
    expect(brief(`extensions: {health_check: , zpages: }\n${good.replace('service:\n', 'service:\n  extensions: [health_check, pprof]\n')}`)).toEqual([
      'warning unused-component 1 extensions.zpages',
      'error unknown-component 10 service.extensions[1]',
    ])
  })

  it('wants an authenticator to be enabled', () => {
    const text = `extensions: {oauth2client: }\n${good.replace('  debug:\n', '  debug: {auth: {authenticator: oauth2client}}\n')}`
    expect(brief(text)).toContain('error extension-not-enabled 8 exporters.debug.auth.authenticator')
    expect(brief(text.replace('service:\n', 'service:\n  extensions: [oauth2client]\n'))).toEqual([])
  })

  it('takes a connector as exporter of one pipeline and receiver of another', () => {
    const connected = (to: string) =>
      `connectors: {spanmetrics: }\n${pipelines(`    traces: {receivers: [otlp, nop], exporters: [spanmetrics]}\n    metrics: {receivers: [${to}], exporters: [debug, nop]}\n`)}`
    expect(brief(connected('spanmetrics'))).toEqual([])
    expect(brief(connected('otlp'))).toEqual(['error connector-one-sided 1 connectors.spanmetrics'])
    expect(brief(`connectors: {forward: }\n${good}`)).toEqual(['warning unused-component 1 connectors.forward'])
    expect(brief(`connectors: {debug: }\n${good}`)[0]).toBe('error ambiguous-id 1 connectors.debug')
  })

  it('finds pipelines that feed themselves', () => {
    const text = `connectors: {forward/a: , forward/b: }\n${pipelines('    logs/1: {receivers: [otlp, nop, forward/b], exporters: [forward/a]}\n    logs/2: {receivers: [forward/a], exporters: [forward/b, debug, nop]}\n')}`
    expect(check(text)).toMatchObject([{ code: 'pipeline-cycle', message: 'the pipelines logs/1 -> logs/2 -> logs/1 feed each other in a circle' }])
  })

  it('warns when there are no pipelines and about unknown keys', () => {
    expect(brief('receivers: {otlp: }\n')).toEqual(['warning no-pipelines 1'])
    expect(brief(`${good}pipelines: {}\n`)).toEqual(['warning unknown-section 14 pipelines'])
    expect(brief(good.replace('service:\n', 'service:\n  pipeline: {}\n'))).toEqual(['warning unknown-key 9 service.pipeline'])
    expect(brief(good.replace('      exporters', '      output: x\n      exporters'))).toEqual(['warning unknown-key 13 service.pipelines.traces.output'])
  })

  it('refuses repeated processors and values of the wrong kind', () => {
    expect(brief(good.replace('[batch]', '[batch, batch]'))).toEqual(['error repeated-component 12 service.pipelines.traces.processors[1]'])
    expect(brief(good.replace('[batch]', 'batch'))).toContain('error wrong-type 12 service.pipelines.traces.processors')
    expect(brief(good.replace('[batch]', '[batch, {a: 1}]'))).toContain('error wrong-type 12 service.pipelines.traces.processors[1]')
    expect(brief(good.replace('  debug:\n', '  debug: 7\n'))).toEqual(['error wrong-type 7 exporters.debug'])
    expect(brief('receivers: [otlp]\n')).toContain('error wrong-type 1 receivers')
    expect(brief('service: text\n')).toContain('error wrong-type 1 service')
  })

  it('lets references pass through and does not judge what they hide', () => {
    expect(brief(good.replace('receivers:\n  otlp:\n    protocols: {grpc: {endpoint: "0.0.0.0:4317"}}\n', 'receivers: ${file:receivers.yaml}\n'))).toEqual([])
    expect(brief(good.replace('[debug]', '${env:EXPORTERS}'))).toEqual([])
    expect(brief(good.replace('[debug]', '\n        - ${env:EXPORTER}'))).toEqual([])
  })

  it('refuses references to Drover that name nothing, and lets the others wait for their values', () => {
    for (const name of ['agent.host.name', 'label.site', 'var.endpoint', 'secret.api_key'])
      expect(check(good.replace('"0.0.0.0:4317"', () => `"\${drover:${name}}:4317"`))).toEqual([])
    for (const name of ['host.name', 'var.a-b', 'var.', 'secret.a b', 'env.HOME', ''])
      expect(check(good.replace('"0.0.0.0:4317"', () => `"\${drover:${name}}"`))).toMatchObject([{ code: 'unknown-reference', line: 3 }])
    expect(check(good.replace('"0.0.0.0:4317"', '"${drover:host.name}:4317"'))).toMatchObject([
      {
        severity: 'error',
        code: 'unknown-reference',
        line: 3,
        path: 'receivers.otlp.protocols.grpc.endpoint',
        message: expect.stringContaining('${drover:host.name} names nothing: there are ${drover:agent.NAME}, ${drover:label.NAME}'),
      },
    ])
    expect(check(good.replace('"0.0.0.0:4317"', () => '"$${drover:host.name}"'))).toEqual([])
    expect(check(good.replace('"0.0.0.0:4317"', () => '"$$${drover:host.name}"'))).toHaveLength(1)
  })

  describe('of the own telemetry', () => {
    const telemetry = (text: string) => brief(good.replace('service:\n', `service:\n  telemetry: ${text}\n`))
    const at = 'service.telemetry'

    it('has nothing to say about what supervisors and people write', () => {
      expect(telemetry('{logs: {level: INFO, encoding: json}, metrics: {level: none}, resource: {a: b, c: }}')).toEqual([])
      expect(
        telemetry('{metrics: {readers: [{pull: {exporter: {}}}, {periodic: {exporter: {}}}], level: Basic}, traces: {processors: [{batch: {}}]}}'),
      ).toEqual([])
      expect(telemetry('${file:telemetry.yaml}')).toEqual([])
      expect(telemetry('{logs: {level: "${env:LEVEL}", processors: "${env:P}"}, metrics: "${file:m.yaml}", traces: }')).toEqual([])
    })

    it('refuses levels that do not exist and values of the wrong kind', () => {
      expect(telemetry('{logs: {level: loud}, metrics: {level: 3}}')).toEqual([
        `error unknown-level 9 ${at}.logs.level`,
        `error unknown-level 9 ${at}.metrics.level`,
      ])
      expect(telemetry('[]')).toEqual([`error wrong-type 9 ${at}`])
      expect(telemetry('{logs: text, metrics: {readers: {}}, traces: {processors: [x]}, resource: []}')).toEqual([
        `error wrong-type 9 ${at}.logs`,
        `error wrong-type 9 ${at}.metrics.readers`,
        `error wrong-type 9 ${at}.traces.processors[0]`,
        `error wrong-type 9 ${at}.resource`,
      ])
    })

    it('warns about keys that Collectors do not know, or not any more', () => {
      expect(telemetry('{spans: {}, logs: {colour: x}, metrics: {address: ":8888", readers: [{push: {}}]}}')).toEqual([
        `warning unknown-key 9 ${at}.spans`,
        `warning unknown-key 9 ${at}.logs.colour`,
        `warning unknown-key 9 ${at}.metrics.address`,
        `warning unknown-key 9 ${at}.metrics.readers[0].push`,
      ])
    })

    it('warns about resource attributes that are no texts', () => {
      expect(telemetry('{resource: {a: 1, attributes: [{name: a, value: b}]}}')).toEqual([
        `warning attribute-not-text 9 ${at}.resource.a`,
        `warning attribute-not-text 9 ${at}.resource.attributes`,
      ])
    })
  })

  it('warns about dates without quotes', () => {
    const withHeader = (value: string) => brief(good.replace('  debug:\n', `  debug: {headers: {x-ms-version: ${value}}}\n`))
    expect(withHeader('2020-04-08')).toEqual(['warning unquoted-date 7'])
    expect(withHeader('2020-04-08T10:00:00Z')).toEqual(['warning unquoted-date 7'])
    expect(withHeader('"2020-04-08"')).toEqual([])
    expect(withHeader('2020-04-08-beta')).toEqual([])
  })

  it('judges several files by what they are together, and names the file', () => {
    const parts = [
      { name: 'b.yaml', contentType: '', body: 'service:\n  pipelines:\n    traces:\n      exporters: [debug, lost]\n' },
      { name: 'a.yaml', contentType: '', body: good },
    ]
    expect(validateCollectorConfig(parts)).toMatchObject([{ code: 'unknown-component', file: 'b.yaml', line: 4, column: 26 }])
  })

  it('takes what a fragment lacks for warnings', () => {
    const fragment = 'service:\n  pipelines:\n    traces:\n      exporters: [otlp/central]\n'
    expect(brief(fragment)).toContain('error unknown-component 4 service.pipelines.traces.exporters[0]')
    expect(brief(fragment, 'fragment')).toEqual([
      'warning pipeline-without-receiver 3 service.pipelines.traces.receivers',
      'warning unknown-component 4 service.pipelines.traces.exporters[0]',
    ])
    expect(brief('exporters: {debug: }\n', 'fragment')).toEqual([])
    expect(brief('service: {pipelines: {foo: }}\n', 'fragment')).toContain('error invalid-pipeline-type 1 service.pipelines.foo')
  })

  it('says nothing about structure when a file cannot be read', () => {
    expect(brief('receivers: [\n')).toEqual(['error yaml-syntax 2'])
  })
})

describe('checkComponents', () => {
  it('lists the types that the agent lacks, each once, whether used or not', () => {
    const config = parseYaml(good.replace('  debug:\n', '  debug:\n  kafka/1:\n  kafka/2:\n'), 'f').document ?? {}
    const available = [
      { kind: 'receiver', type: 'otlp' },
      { kind: 'exporter', type: 'debug' },
      { kind: 'receiver', type: 'kafka' },
    ]
    expect(checkComponents(config, available)).toEqual([
      { kind: 'processor', type: 'batch' },
      { kind: 'exporter', type: 'kafka' },
    ])
  })
})

describe('parseComponentId', () => {
  it('splits at the first slash', () => {
    expect(parseComponentId('otlp')).toEqual({ type: 'otlp', name: '' })
    expect(parseComponentId('otlp/a/b')).toEqual({ type: 'otlp', name: 'a/b' })
    expect(['', '/', 'otlp/', '/x', '2x', 'o-t', 'a b', `a${'b'.repeat(63)}`].filter((text) => parseComponentId(text) !== undefined)).toEqual([])
  })
})

it('tells the first hundred errors and warnings, and no number of warnings hides an error', () => {
  const unused = Array.from({ length: 5_000 }, (_, n) => `  batch/${n}: {}\n`).join('')
  const body = `receivers: {nop: {}}\nexporters: {nop: {}}\nprocessors:\n${unused}service:\n  pipelines:\n    traces: {receivers: [nop, gone], exporters: [nop]}\n`
  const findings = validateCollectorConfig([{ name: 'a.yaml', contentType: 'text/yaml', body }])
  expect(findings.filter(({ severity }) => severity === 'warning')).toHaveLength(100)
  expect(findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)).toEqual(['unknown-component'])
})
