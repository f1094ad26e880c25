/** The fast reader and writer against the full ones: never anything else, or nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readBlockYaml } from './block-reader.ts'
import { writeYaml } from './block-writer.ts'
import { parseYaml } from './parse.ts'
import { toYaml } from './to-yaml.ts'
import { createMap, isMap } from './value.ts'
import type { ConfigMap, ConfigValue } from './value.ts'

/** What a Collector with two own ports and a supervisor reports. */
const reported = `exporters:
    otlp_http:
        endpoint: https://gateway.example.com:4318
        headers:
            x-tenant: "4711"
        max_elapsed_time: 0s
extensions:
    opamp:
        instance_uid: 01939b5c-0000-7000-8000-000000000007
        server:
            ws:
                endpoint: ws://127.0.0.1:30000/v1/opamp
                tls:
                    insecure: true
processors:
    batch: {}
receivers:
    filelog/0:
        exclude: []
        include:
            - /var/log/*.log
        operators:
            - layout: '%Y-%m-%dT%H:%M:%S'
              regex: ^(?P<time>\\d+) (?P<message>.*)$
              type: regex_parser
            - type: noop
    otlp:
        protocols:
            grpc:
                endpoint: 0.0.0.0:4317
                max_recv_msg_size_mib: 16
            http: null
service:
    pipelines:
        logs:
            receivers:
            - otlp
            - filelog/0
    telemetry:
        logs:
            level: info
`

const words = fc.constantFrom(
  // What readers of YAML take for something else, or might.
  ...'a otlp true True yes no on y null ~ NaN .nan .inf -.inf nop x: :x #x -x ?x 0 -0 +1 007 0x1F 0o17 0b11 1_000 1e3 E0 e-5 1.5 .5 1. 1:30 10:20:30'.split(
    ' ',
  ),
  ...'12345678901234567890 2024-01-02 5m 200ms 1.5s 127.0.0.1:80 0.0.0.0 1.2.3 10% 5GiB 12e4 01939b5c-0000-7000-8000-000000000007 localhost:4317'.split(' '),
  ...'http://a/b?c=d&e ${env:X} /var/*.log " \' "a" \'a\' &a *a !a | > @a `a %a {} [] {a:b} [a,b] --- ... << = __proto__ constructor é'.split(' '),
  ...['', ' ', ' a', 'a ', 'x: y', 'x #y', '- x', "it's", '\\d+', '!!str a', '{a: b}', 'a, b', 'a b c', 'a  b', 'key: value: more', 'x'.repeat(130)].values(),
  ...['a\nb', 'a\n', '\ta', 'a\tb', '\u0085', 'a\u2028b'].values(),
)
const text = fc.oneof(words, fc.string({ maxLength: 12 }), fc.stringMatching(/^[a-z0-9:. #'"*&^$_/-]{0,10}$/))
const key = fc.oneof(fc.constantFrom('endpoint', 'receivers', 'otlp/2', 'x-api-key', 'host.name'), text)
const value = fc.letrec<{ value: ConfigValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    text,
    fc.oneof(fc.boolean(), fc.integer(), fc.double(), fc.constant(null), fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(toMap),
  ),
})).value
const document = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 5 }).map(toMap)

/** As people write it. */
const written = `# What the host has.
receivers:
  otlp: # the usual
    protocols:
      grpc: {endpoint: "0.0.0.0:4317", max_recv_msg_size_mib: 16}
      http:

  "filelog/0":
    include: [ /var/log/*.log, "b", 'c' ]
    exclude: [
      x,
      # y
      z ]
    operators:
    - type: regex_parser
      regex: '^(?P<time>\\d+) (?P<m>.*)$' # it''s
    - {type: noop, }
    -
      type: move
    - - nested
      - 1
processors:
  transform:
    statements: |
      set(a, 1)
        set(b, "2") # no comment

      set(c, 3)
    # a comment
    folded: >-
      one
      two

      three
  batch: {}
exporters: {debug: {verbosity: basic, list: [[1, 2], {a: b}], "json":1, none: }}
`

function toMap(entries: readonly (readonly [string, ConfigValue])[]): ConfigMap {
  const map = createMap()
  for (const [name, item] of entries) map[name] = item
  return map
}

/** Also tells `-0` from `0` and a key order from another. */
function exactly(found: ConfigValue | undefined): string {
  if (Array.isArray(found)) return `[${found.map(exactly).join()}]`
  if (isMap(found))
    return `{${Object.entries(found)
      .map(([name, item]) => `${JSON.stringify(name)}:${exactly(item)}`)
      .join()}}`
  return typeof found === 'string' ? JSON.stringify(found) : Object.is(found, -0) ? '-0' : `${typeof found} ${String(found)}`
}

function expectSame(body: string): boolean {
  const fast = readBlockYaml(body)
  if (fast === undefined) return false
  expect(exactly(fast)).toBe(exactly(parseYaml(body, '').document))
  return true
}

describe('readBlockYaml', () => {
  it('reads what Collectors report', () => {
    expect(expectSame(reported)).toBe(true)
  })

  it('reads what people write', () => {
    expect(expectSame(written)).toBe(true)
    expect(expectSame('{"receivers": {"otlp": {"a": [1, "x\\ty", null]}}}')).toBe(true)
  })

  it('gives what the full parser gives, for whatever programs write', () => {
    let read = 0
    fc.assert(
      fc.property(document, fc.constantFrom(2, 4), fc.boolean(), fc.constantFrom('any', 'flow'), (map, indent, indentSeq, collectionStyle) => {
        if (expectSame(stringify(map, { indent, indentSeq, lineWidth: 0, aliasDuplicateObjects: false, collectionStyle }))) read += 1
      }),
      { numRuns: 3000 },
    )
    expect(read).toBeGreaterThan(100)
  })

  it('gives what the full parser gives for text with any scalar written as it is', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        for (const body of [
          `a: ${one}\nb: ${other}\n`,
          `a:\n  - ${one}\n  - ${other}\n`,
          `a:\n- ${one}: ${other}\n  b: 1\n`,
          `${one}: 1\nb: 2\n`,
          `m:\n  ${one}: 1\n  b: 2`,
          `a: ${one} # ${other}\n# c\n\nb: 1\n`,
          `a: [${one}, ${other}]\n`,
          `a: {${one}: ${other}, c: 1}\n`,
          `a: {c: [\n  ${one},\n ${other}\n]}\n`,
          `a: "${one}"\nb: '${other}'\n`,
          `a: |\n  ${one}\n  ${other}\nb: 1\n`,
          `a:\n- >-\n  ${one}\n  ${other}\n`,
          `a: |\n  ${one}`,
        ])
          expectSame(body)
      }),
      { numRuns: 5000 },
    )
  })

  it('gives what the full parser gives when a line was moved, cut, doubled or spoilt', () => {
    const change = fc.constantFrom<(line: string) => readonly string[]>(
      () => [],
      (line) => [line, line],
      (line) => [` ${line}`],
      (line) => [`    ${line}`],
      (line) => [line.slice(1)],
      (line) => [line.trimStart()],
      (line) => [line.replace(/:.*$/, ':')],
      (line) => [line.replace(/^( *)/, '$1- ')],
      (line) => [line.replace('- ', '-  ')],
      (line) => [line.replace('- ', '- - ')],
      (line) => [line.replace('- ', '-\n')],
      (line) => [line.replace(': ', ':')],
      (line) => [line, '', '# x'],
      (line) => [`${line} # x`],
      (line) => [`${line}:`],
      (line) => [line, '---'],
      (line) => [line.replace(/[[{]/, '')],
      (line) => [line.replace(/[\]}]/, '')],
      (line) => [line.replace(', ', ',')],
      (line) => [line.replace(/,/, ',\n')],
      (line) => [line.replace(', ', ' #')],
      (line) => [`${line} `],
      (line) => [`${line}\t`],
      (line) => [line.replaceAll('"', "'")],
      (line) => [line.replaceAll("'", '')],
      (line) => [line.replace(/(\w)/, '"$1')],
      (line) => [line.replace(/[a-z]/, '*')],
      (line) => [line.replace(/[a-z]/, '!')],
      (line) => [line.replace('|', '|+')],
      (line) => [line.replace('>-', '>2')],
      (line) => [line.replace('>-', '|-')],
    )
    fc.assert(
      fc.property(fc.constantFrom(reported, written), fc.array(fc.tuple(fc.nat(100), change), { minLength: 1, maxLength: 3 }), (body, changes) => {
        const lines = body.trimEnd().split('\n')
        const changed = lines.map((line, index) =>
          changes.filter(([at]) => at % lines.length === index).reduce<readonly string[]>((all, [, apply]) => all.flatMap(apply), [line]),
        )
        expectSame(`${changed.flat().join('\n')}\n`)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('writeYaml', () => {
  it('writes what the full writer writes', () => {
    fc.assert(
      fc.property(document, (map) => {
        expect(writeYaml(map)).toBe(toYaml(map))
      }),
      { numRuns: 5000 },
    )
    expect(writeYaml(createMap())).toBe(toYaml(createMap()))
  })
})
