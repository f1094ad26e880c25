import { describe, expect, it } from 'vitest'
import { diffValues, unifiedDiff } from './diff.ts'
import { contentHash } from './hash.ts'
import { parseYaml } from './parse.ts'
import { pipelineGraph } from './pipelines.ts'
import { toYaml } from './to-yaml.ts'

const map = (text: string) => parseYaml(text, 'f').document ?? {}
const file = (name: string, body: string) => ({ name, contentType: 'text/yaml', body })

describe('diffValues', () => {
  it('names what was added, removed and changed by path', () => {
    expect(diffValues(map('a: 1\nb: {c: x, d: [1, 2]}\ngone: {x: 1}'), map('a: 1\nb: {c: y, d: [1, 3]}\nnew: {}'))).toEqual([
      { path: 'b.c', kind: 'changed', from: 'x', to: 'y' },
      { path: 'b.d[1]', kind: 'changed', from: 2, to: 3 },
      { path: 'gone', kind: 'removed', from: { x: 1 } },
      { path: 'new', kind: 'added', to: {} },
    ])
  })

  it('shows lists of other length as a whole, and an empty value as one', () => {
    expect(diffValues(map('l: [1]\nn: '), map('l: [1, 2]\nn: {}'))).toEqual([
      { path: 'l', kind: 'changed', from: [1], to: [1, 2] },
      { path: 'n', kind: 'changed', from: null, to: {} },
    ])
    expect(diffValues(map('l: [1]\nn: '), map('n: \nl: [1]'))).toEqual([])
  })

  it('gives values that JSON can carry', () => {
    expect(JSON.stringify(diffValues({}, map('a: 18446744073709551615\nb: .nan')))).toBe(
      '[{"path":"a","kind":"added","to":"18446744073709551615"},{"path":"b","kind":"added","to":".nan"}]',
    )
  })
})

describe('unifiedDiff', () => {
  it('shows changed, new and removed files', () => {
    expect(unifiedDiff([file('a', 'x: 1\ny: 2\n'), file('gone', 'z: 1\n')], [file('a', 'x: 1\ny: 3\n'), file('new', 'n: 1\n')])).toBe(
      '--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x: 1\n-y: 2\n+y: 3\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-z: 1\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+n: 1\n',
    )
  })

  it('is empty when nothing changed, and says when a last line has no end', () => {
    expect(unifiedDiff([file('a', 'x')], [file('a', 'x')])).toBe('')
    expect(unifiedDiff([file('', 'x: 1\n')], [file('', 'x: 1')])).toContain('\\ No newline at end of file')
  })

  it('shows the whole file as replaced when too much changed to look for the smallest difference', () => {
    const lines = (prefix: string) => Array.from({ length: 6000 }, (_, index) => `${prefix}${index}: 1`).join('\n')
    const text = unifiedDiff([file('a', lines('x'))], [file('a', lines('y'))])
    expect(text).toContain('@@ -1,6000 +1,6000 @@')
    expect(text.split('\n').filter((line) => line.startsWith('+y'))).toHaveLength(6000)
  })
})

describe('contentHash', () => {
  it('depends on names, types and bodies but not on the order of files', () => {
    const [a, b] = [file('a', '1'), file('b', '2')]
    expect(contentHash([a, b])).toBe(contentHash([b, a]))
    expect(contentHash([a, b])).toMatch(/^[0-9a-f]{64}$/)
    expect(
      new Set([
        contentHash([a, b]),
        contentHash([a]),
        contentHash([]),
        contentHash([file('a', '12')]),
        contentHash([file('a1', '')]),
        contentHash([{ ...a, contentType: '' }]),
      ]).size,
    ).toBe(6)
  })
})

describe('toYaml', () => {
  it('writes values that read back as the same', () => {
    const text = 'a: 18446744073709551615\nb: "yes"\nc: "123"\nd:\n  - "null"\n  - e: \n  - []\nf: |\n  two\n  lines\n"8080": x\n'
    expect(map(toYaml(map(text)))).toEqual(map(text))
    expect(toYaml(map('a: &x {b: 1}\nc: *x\n'))).toBe('a:\n  b: 1\nc:\n  b: 1\n')
  })
})

describe('pipelineGraph', () => {
  it('leads from receivers through processors in order to exporters, connectors joining pipelines', () => {
    const graph = pipelineGraph(
      map(
        'connectors: {count: }\nservice:\n  pipelines:\n    traces: {receivers: [otlp, zipkin], processors: [a, b], exporters: [debug, count]}\n    metrics: {receivers: [count], exporters: [debug]}\n',
      ),
    )
    expect(graph.nodes.map(({ id }) => id)).toEqual([
      'receiver otlp',
      'receiver zipkin',
      'processor a in traces',
      'processor b in traces',
      'exporter debug',
      'connector count',
    ])
    expect(graph.edges.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      'receiver otlp > processor a in traces',
      'receiver zipkin > processor a in traces',
      'processor a in traces > processor b in traces',
      'processor b in traces > exporter debug',
      'processor b in traces > connector count',
      'connector count > exporter debug',
    ])
  })
})
