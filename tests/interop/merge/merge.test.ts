/** Our composition of a Collector's configuration beside the stock supervisor's: the same sources, the same result. */
import { completeSourceOrder, composeBootstrapConfig, composeCollectorConfig, parseYaml } from '@drover/agent-config'
import type { CollectorConfig, CollectorConfigSource, ConfigFile, ExportDestinations } from '@drover/agent-config'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithPeers } from '../../peers/index.ts'
import { offeredFiles } from './arbitrary-config.ts'
import { markerKey, StockComposition } from './stock-composition.ts'
import type { LocalEntry, Offered, RemoteFile } from './stock-composition.ts'

const generatedOffers = 300
const generatedInOtherOrder = 40
const rereadOffers = 60
const seed = Number(process.env['DROVER_MERGE_SEED'] ?? 20_260_301)

/** Ours for the same sources. */
function compose(stock: StockComposition, entries: readonly LocalEntry[], remote?: readonly RemoteFile[]): CollectorConfig {
  const { sources, unknown } = completeSourceOrder(entries.map(({ name }) => name))
  expect(unknown).toEqual([])
  return composeCollectorConfig({
    ...stock.facts,
    sources: sources.map((source): CollectorConfigSource => (source.kind === 'file' ? stock.sourceOf(source) : source)),
    remote: remote?.map((file): ConfigFile => ({ ...file, contentType: '' })),
  })
}

/** Maps without order, whole numbers exact, and without the marker. */
function comparable(value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return { number: BigInt(value).toString() }
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .filter(([key]) => key !== markerKey)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => ({ key, value: comparable(item) }))
}

function read(text: string): unknown {
  const { document, findings } = parseYaml(text, 'effective.yaml')
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
  return comparable(document ?? {})
}

/** Our value, and what is read from our text, are what the supervisor wrote. */
function expectSame(ours: CollectorConfig, stockText: string): void {
  if (ours.kind === 'rejected') throw new Error(ours.reason)
  expect(comparable(ours.merged)).toEqual(read(stockText))
  expect(read(ours.text)).toEqual(read(stockText))
}

/** Asks both, and expects the same of both. */
async function expectSameAnswer(stock: StockComposition, entries: readonly LocalEntry[], offered: Offered): Promise<CollectorConfig> {
  const answer = await stock.ask(offered)
  const ours = compose(stock, entries, offered.remote)
  if (answer.kind === 'composed') expectSame(ours, answer.text)
  else if (ours.kind === 'composed') throw new Error(`only the supervisor rejects it: ${answer.errorMessage}`)
  return ours
}

async function tryGenerated(stock: StockComposition, entries: readonly LocalEntry[], count: number): Promise<void> {
  process.stdout.write(`${count} generated offers, DROVER_MERGE_SEED=${seed}\n`)
  for (const remote of fc.sample(offeredFiles, { numRuns: count, seed })) {
    const ours = await expectSameAnswer(stock, entries, { remote })
    if (ours.kind === 'rejected') throw new Error(`${ours.reason}: ${JSON.stringify(remote)}`)
  }
}

const local: readonly LocalEntry[] = [
  {
    name: 'base.yaml',
    body: `# What the host has.
extensions:
  health_check: {endpoint: "127.0.0.1:13133"}
receivers:
  otlp: &otlp
    protocols: {grpc: , http: {endpoint: 0.0.0.0:4318}}
  otlp/2:
    <<: *otlp
    n: 0x1F
exporters: {debug: {verbosity: basic, sampling: [1, 2, 3]}}
service:
  extensions: [health_check]
  telemetry: {logs: {level: debug, encoding: console}, resource: {host.name: from the file}}
  pipelines:
    logs: {receivers: [otlp], exporters: [debug]}
`,
  },
  { name: 'broken.yaml', body: 'receivers: {lost: }\n  - [\n' },
  { name: 'missing.yaml' },
  { name: 'a-list.yaml', body: '- receivers\n' },
  { name: 'empty.yaml', body: '# nothing\n' },
  { name: 'twice.yaml', body: 'exporters: {debug: {verbosity: normal}}\n---\nexporters: {debug: {verbosity: detailed}}\n' },
  { name: 'json.yaml', body: '{"service": {"extensions": ["zpages", "health_check"]}, "extensions": {"zpages": {"a": [1, "x\\ty", null]}}}' },
]

const offers: Readonly<Record<string, readonly RemoteFile[]>> = {
  'one file': [{ name: 'a', body: 'receivers: {nop: }\n' }],
  'the empty name last, the others by their bytes': ['', 'b', 'B', 'a', '10', '9', '～', '😀', 'a/b', '__proto__'].map((name) => ({
    name,
    body: `last: ${JSON.stringify(name)}\nseen: {${JSON.stringify(name)}: true}\n`,
  })),
  'empty files, and one that is null': [
    { name: 'a', body: '' },
    { name: 'b', body: '# c\n' },
    { name: 'c', body: 'null\n' },
    { name: 'd', body: 'x: 1\n' },
  ],
  'an empty value over a map, and an empty map over one': [{ name: 'a', body: 'exporters: {debug: }\nreceivers: {otlp: {}}\n' }],
  'a map over a value, and a value over a map': [
    { name: 'a', body: 'x: text\ny: {z: 1}\n' },
    { name: 'b', body: 'x: {z: 1}\ny: text\n' },
  ],
  'lists, replaced': [{ name: 'a', body: 'exporters: {debug: {sampling: [9]}}\nservice: {pipelines: {logs: {receivers: []}}}\n' }],
  'overlapping extension lists': [
    { name: 'a', body: 'service: {extensions: [b, health_check, a, a]}\n' },
    { name: 'b', body: 'service: {extensions: [opamp, c, b]}\n' },
  ],
  'an empty extension list': [{ name: 'a', body: 'service: {extensions: []}\n' }],
  'extensions that are no list, then a list': [
    { name: 'a', body: 'service: {extensions: }\n' },
    { name: 'b', body: 'service: {extensions: [x]}\n' },
  ],
  'a service that is gone, then back': [
    { name: 'a', body: 'service:\n' },
    { name: 'b', body: 'service: {extensions: [x, x]}\n' },
  ],
  'another instance uid and endpoint for the extension': [
    { name: 'a', body: 'extensions: {opamp: {instance_uid: other, server: {ws: {endpoint: "ws://x"}}}}\n' },
  ],
  'another logger and resource': [
    { name: 'a', body: 'service: {telemetry: {logs: {encoding: console, output_paths: [x]}, resource: {service.name: , more: 1}}}\n' },
  ],
  'numbers of all kinds': [
    { name: 'a', body: 'n: [0777, 0o17, 0b11, -0x1F, 1_000, 1e3, 1e400, 1., .5, -0, 18446744073709551615, 18446744073709551616, .inf, -.INF, 1:30, 09]\n' },
  ],
  'keys that are no texts': [{ name: 'a', body: 'm: {0x10: a, 1.0: b, true: c, 1e9: d, 404: e, yes: f}\n0x10: top\n' }],
  'aliases and merge keys': [{ name: 'a', body: 'a: &a {x: 1, y: [1]}\nb: {<<: *a, x: 2}\nc: [*a, *a]\nd:\n  <<: [{z: 1}, *a]\n' }],
  references: [{ name: 'a', body: 'a: ${env:HOST}:4317\nb: "$${x}"\nc: ${file:/etc/x}\n' }],
  'several lines of text': [{ name: 'a', body: 'a: |\n  x\n    y\n\n  z\nb: >-\n  folded\n  text\nc: "a\\tb\\u00e9"\n' }],
  'a second document': [{ name: 'a', body: 'a: 1\n---\na: 2\n' }],
  'a declarative resource in two files': [
    { name: 'a', body: 'service: {telemetry: {resource: {attributes: [{name: a, value: 1}]}}}\n' },
    { name: 'b', body: 'service: {telemetry: {resource: {attributes: [{name: b, value: 2}]}}}\n' },
  ],
}

const rejected: Readonly<Record<string, string>> = {
  'broken YAML': 'receivers: [\n',
  'a list': '- a\n',
  'a single value': 'text\n',
  'a key twice': 'a: {k: 1, k: 2}\n',
  'an alias without anchor': 'a: *b\n',
  'a tab as indentation': 'a:\n\tb: 1\n',
}

const destinations: Readonly<Record<string, ExportDestinations>> = {
  'all three': {
    metrics: {
      endpoint: 'https://m.example.com:4318/v1/metrics',
      headers: [
        ['authorization', 'Bearer a.b-c_d=='],
        ['x-tenant', '4711'],
      ],
    },
    logs: { endpoint: 'http://127.0.0.1:4318/v1/logs', headers: [] },
    traces: { endpoint: 'https://t.example.com/v1/traces?x=1&y=2', headers: [['x-empty', '']] },
  },
  'one of them': { logs: { endpoint: 'http://127.0.0.1:4318/v1/logs', headers: [['x', 'y: z # no comment']] } },
  'none any more': { metrics: { endpoint: 'http://127.0.0.1:4318/v1/metrics', headers: [] } },
}

await describeWithPeers('the composition of a Collector configuration', ['supervisor', 'collector'], (peers) => {
  describe('in the usual order', () => {
    let stock: StockComposition
    beforeAll(async () => {
      stock = await StockComposition.start({ ...peers, configFiles: local, acceptsRemoteConfig: true, allowsNoPipelines: false })
    })
    afterAll(() => stock[Symbol.asyncDispose]())

    it('starts the Collector with a pipeline that does nothing to ask who it is', async () => {
      expect(comparable(composeBootstrapConfig(stock.facts.extension, { allowsNoPipelines: false }).merged)).toEqual(read(await stock.bootstrap()))
    })

    it('is the same before anything was offered', async () => {
      const ours = compose(stock, local)
      expectSame(ours, await stock.effective())
      const left = new Set(ours.findings.filter(({ severity }) => severity === 'error').map(({ file }) => file))
      expect([...left]).toEqual(['broken.yaml', 'missing.yaml', 'a-list.yaml'])
    })

    it.each(Object.entries(offers))('is the same for %s', async (_, remote) => {
      expect((await expectSameAnswer(stock, local, { remote })).kind).toBe('composed')
    })

    it.each(Object.entries(rejected))('rejects %s as a whole', async (_, body) => {
      const remote = [
        { name: 'good', body: 'a: 1\n' },
        { name: 'bad', body },
      ]
      expect((await expectSameAnswer(stock, local, { remote })).kind).toBe('rejected')
    })

    it.each(Object.entries(destinations))('is the same for own telemetry: %s', async (_, ownTelemetry) => {
      await expectSameAnswer(stock, local, { remote: [{ name: 'a', body: 'service: {telemetry: {metrics: {level: basic}}}\n' }], ownTelemetry })
    })

    it('reads our text as we do', async () => {
      const everything = Object.values(offers)
        .flat()
        .map(({ body }, index) => ({ name: `${index}`, body }))
      for (const remote of [everything, ...fc.sample(offeredFiles, { numRuns: rereadOffers, seed: seed + 1 })]) {
        const ours = compose(stock, [], remote)
        if (ours.kind === 'rejected') throw new Error(ours.reason)
        await expectSameAnswer(stock, local, { remote: [{ name: 'text', body: ours.text }] })
      }
    })

    it('is the same for whatever is offered', () => tryGenerated(stock, local, generatedOffers))

    it('keeps a date without quotes as written, where the supervisor makes a point in time of it that a Collector refuses as text', async () => {
      const remote = [{ name: 'a', body: 'exporters: {otlphttp: {headers: {x-ms-version: 2020-04-08}}}\n' }]
      expect(await stock.ask({ remote })).toMatchObject({ kind: 'composed', text: expect.stringContaining('x-ms-version: 2020-04-08T00:00:00Z\n') })
      expect(compose(stock, local, remote)).toMatchObject({ kind: 'composed', text: expect.stringContaining('x-ms-version: "2020-04-08"\n') })
    })

    it('takes text that the supervisor writes in a way that it cannot read again', async () => {
      const remote = [{ name: 'a', body: 'a: {b: [{c: "\\n lead"}]}\n' }]
      expect(await stock.ask({ remote })).toMatchObject({ kind: 'rejected' })
      expect(compose(stock, local, remote)).toMatchObject({ kind: 'composed' })
    })

    it('takes header values with quotes, which break every configuration of the supervisor until it has other ones', async () => {
      const ownTelemetry: ExportDestinations = { logs: { endpoint: 'http://127.0.0.1:4318/v1/logs', headers: [['x', 'say "hi"']] } }
      const remote = [{ name: 'a', body: 'a: 1\n' }]
      expect(await stock.ask({ remote, ownTelemetry })).toMatchObject({ kind: 'rejected' })
      expect(compose(stock, local, remote)).toMatchObject({ kind: 'composed', text: expect.stringContaining('x: "say \\"hi\\""\n') })
      await expectSameAnswer(stock, local, { remote, ...(destinations['one of them'] === undefined ? {} : { ownTelemetry: destinations['one of them'] }) })
    })

    it('is the same when nothing is to run', async () => {
      const ours = compose(stock, local, [])
      expect(ours).toMatchObject({ runsNothing: true })
      expectSame(ours, await stock.askForNothing())
    })
  })

  describe('in another order, with a Collector that needs no pipelines', () => {
    const entries: readonly LocalEntry[] = [
      { name: '$REMOTE_CONFIG' },
      {
        name: 'first.yaml',
        body: 'service: {extensions: [first], telemetry: {logs: {encoding: console}}}\nextensions: {first: {a: 1, b: 1}, opamp: {ppid: 1, x: 1}}\n',
      },
      { name: '$OPAMP_EXTENSION_CONFIG' },
      {
        name: 'second.yaml',
        body: 'service: {telemetry: {logs: {encoding: json}, resource: {service.name: second}}}\nextensions: {first: {b: 2}, opamp: {ppid: 2}}\n',
      },
      { name: '$OWN_TELEMETRY_CONFIG' },
    ]
    let stock: StockComposition
    beforeAll(async () => {
      stock = await StockComposition.start({ ...peers, configFiles: entries, acceptsRemoteConfig: true, allowsNoPipelines: true })
    })
    afterAll(() => stock[Symbol.asyncDispose]())

    it('asks without any pipeline', async () => {
      expect(comparable(composeBootstrapConfig(stock.facts.extension, { allowsNoPipelines: true }).merged)).toEqual(read(await stock.bootstrap()))
    })

    it('is the same before anything was offered', async () => {
      expectSame(compose(stock, entries), await stock.effective())
    })

    it.each(Object.entries(offers))('is the same for %s', async (_, remote) => {
      expect((await expectSameAnswer(stock, entries, { remote })).kind).toBe('composed')
    })

    it.each(Object.entries(destinations))('is the same for own telemetry: %s', async (_, ownTelemetry) => {
      await expectSameAnswer(stock, entries, { remote: [{ name: 'a', body: 'service: {telemetry: {traces: {processors: []}}}\n' }], ownTelemetry })
    })

    it('is the same for whatever is offered', () => tryGenerated(stock, entries, generatedInOtherOrder))
  })

  describe('without remote configuration', () => {
    const entries: readonly LocalEntry[] = [{ name: '$OPAMP_EXTENSION_CONFIG' }, { name: 'only.yaml', body: local[0]?.body ?? '' }]
    let stock: StockComposition
    beforeAll(async () => {
      stock = await StockComposition.start({ ...peers, configFiles: entries, acceptsRemoteConfig: false, allowsNoPipelines: false })
    })
    afterAll(() => stock[Symbol.asyncDispose]())

    it('is the same at start, with no pipeline but those of the files', async () => {
      expectSame(compose(stock, entries), await stock.effective())
    })

    it.each(Object.entries(destinations))('is the same for own telemetry: %s', async (title, ownTelemetry) => {
      const path = `/${encodeURIComponent(title)}`
      const marked = Object.fromEntries(Object.entries(ownTelemetry).map(([signal, one]) => [signal, { ...one, endpoint: one.endpoint + path }]))
      const written = await stock.askOwnTelemetry(marked, path)
      expectSame(compose(stock, entries), written)
    })
  })
})
