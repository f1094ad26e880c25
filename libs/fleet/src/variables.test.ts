import { parseYaml } from '@drover/agent-config'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillTemplate, fillText, findReferences, readTemplate } from './variables.ts'

const file = (body: string, name = 'a.yaml') => ({ name, contentType: 'text/yaml', body })
const values = (known: Readonly<Record<string, string>>) => (kind: string, name: string) =>
  Object.hasOwn(known, `${kind}.${name}`) ? known[`${kind}.${name}`] : undefined
const fill = (body: string, known: Readonly<Record<string, string>> = {}) => fillTemplate(readTemplate(file(body)), values(known))
const read = (body: string): unknown => JSON.parse(JSON.stringify(parseYaml(body, '').document ?? null))

describe('findReferences', () => {
  it('says of each reference what it names and where it is written', () => {
    const body =
      'a: ${drover:agent.host.name}\nb:\n  - x\n  - "http://${drover:label.site}.example/${drover:var.path}"\nc: |\n  one\n  token ${drover:secret.api_key}\n'
    expect(findReferences([file(body)])).toEqual({
      references: [
        { kind: 'agent', name: 'host.name', nested: false, file: 'a.yaml', line: 1, column: 4 },
        { kind: 'label', name: 'site', nested: false, file: 'a.yaml', line: 4, column: 13 },
        { kind: 'var', name: 'path', nested: false, file: 'a.yaml', line: 4, column: 42 },
        { kind: 'secret', name: 'api_key', nested: false, file: 'a.yaml', line: 7, column: 9 },
      ],
      findings: [],
    })
  })

  it('looks past comments, escapes and what the Collector fills in itself', () => {
    const body = '# ${drover:var.x}\na: $${drover:var.x}\nb: "$$$${drover:var.x} ${env:HOME} ${file:/etc/x}"\nc: $$${drover:var.y} # ${drover:nothing}\n'
    expect(findReferences([file(body)]).references.map(({ name, line, column }) => [name, line, column])).toEqual([['y', 4, 6]])
  })

  it('finds what is written wrongly, with its place and what to write instead', () => {
    const written = ['${drover:host}', '${drover:env.HOME}', '${drover:var.}', '${drover:var.a b}', '${drover:secret.1x}', '${drover: var.x}', '${drover:var.x']
    for (const reference of written) {
      const { references, findings } = findReferences([file(`a: "${reference}"\n`)])
      expect(references).toEqual([])
      expect(findings).toMatchObject([{ severity: 'error', code: 'unknown-reference', file: 'a.yaml', line: 1, column: 5 }])
      expect(findings[0]?.message).toContain('${drover:var.NAME}')
    }
  })

  it('finds references in keys, and those that are written with escapes', () => {
    const { references } = findReferences([file('${drover:label.k}: 1\n"\\u0024{drover:var.x}": 2\n')])
    expect(references.map(({ kind, name, line }) => `${kind}.${name} ${line}`)).toEqual(['label.k 1', 'var.x 2'])
  })

  it('reports text that is no YAML', () => {
    expect(findReferences([file('a: [${drover:var.x}\n')]).findings[0]).toMatchObject({ severity: 'error', code: 'yaml-syntax', file: 'a.yaml', line: 1 })
  })
})

describe('fillTemplate', () => {
  it('fills in and leaves everything else as it is written', () => {
    const body =
      '# kept ${drover:var.x}\nexporters:\n  otlp:   # spaces too\n    endpoint: "${drover:var.host}:4317"\n    name: \'it is ${drover:var.who}\'\n    user: ${env:USER}\n'
    expect(fill(body, { 'var.host': 'collector.example', 'var.who': "Ann's" }).body).toBe(
      "# kept ${drover:var.x}\nexporters:\n  otlp:   # spaces too\n    endpoint: \"collector.example:4317\"\n    name: 'it is Ann''s'\n    user: ${env:USER}\n",
    )
  })

  it('takes numbers and switches for what they are when they stand without quotes, and as text in quotes', () => {
    const body = 'plain: ${drover:var.x}\nquoted: "${drover:var.x}"\n'
    const both = (x: string) => read(fill(body, { 'var.x': x }).body)
    expect(both('4317')).toEqual({ plain: 4317, quoted: '4317' })
    expect(both('0.25')).toEqual({ plain: 0.25, quoted: '0.25' })
    expect(both('true')).toEqual({ plain: true, quoted: 'true' })
    for (const text of ['', 'null', '~', 'yes', 'No', 'off', '0123', '0x1f', '1e3', '1_000', '.inf', '2024-01-01', '12:30:45', '5s', '10.0.0.1', '- a', '? b'])
      expect(both(text)).toEqual({ plain: text, quoted: text })
  })

  it('gives long and many-lined secrets their place in one value', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
    const body = 'tls:\n  ca_pem: ${drover:secret.ca}\n  text: |\n    before ${drover:secret.ca} after\n    end\n  next: 1\n'
    expect(read(fill(body, { 'secret.ca': pem }).body)).toEqual({ tls: { ca_pem: pem, text: `before ${pem} after\nend\n`, next: 1 } })
  })

  it('keeps a value from being filled in a second time, by itself or by the Collector', () => {
    const value = '${env:HOME} ${drover:secret.other} $1 $${x}'
    const filled = fill('a: ${drover:label.x}\n', { 'label.x': value, 'secret.other': 'canary' }).body
    expect(read(filled)).toEqual({ a: value.replaceAll('$', '$$$$') })
    expect(filled).not.toContain('canary')
  })

  it('never lets a value become structure, wherever it stands', () => {
    const places = [
      'a: ${drover:var.x}\nb: 1\n',
      'a: pre ${drover:var.x} post\nb: 1\n',
      'a: "pre ${drover:var.x}"\nb: 1\n',
      "a: 'pre ${drover:var.x}'\nb: 1\n",
      'a: |\n  pre ${drover:var.x}\n  post\nb: 1\n',
      'a: >-\n  ${drover:var.x} post\nb: 1\n',
      'a: ["${drover:var.x}", 2]\nb: 1\n',
      'a: {"k": "${drover:var.x}"}\nb: 1\n',
      'a:\n- ${drover:var.x}\n- 2\nb: 1\n',
    ]
    const nasty = fc
      .array(
        fc.constantFrom(
          ': ',
          '"',
          "'",
          '\n',
          '#',
          ' #',
          '- ',
          '{',
          '}',
          '[',
          ']',
          ',',
          '&a',
          '*a',
          '!',
          '|',
          '>',
          '%',
          '@',
          '`',
          '$',
          '${',
          '\\',
          '\t',
          '\u2028',
          'x',
          ' ',
          '\r\n',
          '---',
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.oneof(nasty, fc.string({ unit: 'grapheme' })), (body, x) => {
        const { body: filled, unresolved } = fill(body, { 'var.x': x })
        if (unresolved.length > 0) return // control characters
        const expected = fill(body, { 'var.x': 'MARKER' }).body
        const escaped = x.replaceAll('$', '$$$$')
        const substituted: unknown = JSON.parse(JSON.stringify(read(expected)), (_key, value: unknown) =>
          typeof value === 'string' ? value.replaceAll('MARKER', () => escaped) : value,
        )
        const typed = (value: unknown) => JSON.stringify(value).replace(/"(true|false|0|-?[1-9]\d*(?:\.\d+)?|0\.\d+)"/g, '$1')
        expect(typed(read(filled))).toBe(typed(substituted))
      }),
      { numRuns: 1500 },
    )
  })

  it('leaves every file that can be read one that can be read, or refuses the value, naming its reference', () => {
    const places = [
      '${drover:var.x}: 1\nfixed: 2\n',
      'a:\n  ${drover:var.x}: 1\n  "5": 2\n  fixed: 3\n',
      'a: {"${drover:var.x}": 1, \'${drover:var.y}\':  2, fixed: 3}\nb: 1\n',
      'a:\n  &anchor ${drover:var.x}: 1\n  fixed: 2\nb: [*anchor, "${drover:var.y}"]\n',
      'a: [${drover:var.x}, {fixed: 1, ${drover:var.y}: 2}]\n'
        .replaceAll('${drover:var.x}', '"${drover:var.x}"')
        .replace('${drover:var.y}', "'${drover:var.y}'"),
      'a:\n  ? ${drover:var.x}\n  : 1\n  ? |\n    ${drover:var.y}\n  : 2\n',
      "a: '${drover:var.x}'\nb: |\n  ${drover:var.y}\n",
      'a: &k ${drover:var.x}\nb: {*k : 1, fixed: 2, "${drover:var.y}": 3}\n',
      'a: !!str ${drover:var.x}\nb: !own "${drover:var.y}"\nc: !!int "${drover:var.x}"\n',
      'a: !!binary "${drover:var.x}"\n',
      'base: &base {k: 1}\na: {\'<<\': *base, "${drover:var.x}": 2}\n',
    ]
    const hostile = fc.oneof(
      fc.constantFrom('fixed', '5', '<<', '', '~', 'true', '0x5', '\u0081', '\u2028', '\uffff', '\ufeff', 'a\nb', ': ', '- ', '?', 'k'),
      fc.constantFrom(1000, 1012, 1015, 1022, 1023, 1024, 1025, 4096).map((length) => 'x'.repeat(length)),
      fc.constantFrom(500, 511, 512, 1024).map((length) => '"'.repeat(length)),
      fc.constant(','.repeat(50_001)),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...places), hostile, hostile, (body, x, y) => {
        expect(parseYaml(body, 'f').document).toBeDefined()
        const { body: filled, unresolved } = fill(body, { 'var.x': x, 'var.y': y })
        for (const { message } of unresolved)
          expect(message).toMatch(
            /^(?:the value of \$\{drover:var\.[xy]\} |with the values of its references the file |a reference cannot stand behind the tag !!)/,
          )
        if (unresolved.length === 0) {
          expect(parseYaml(filled, 'f').findings.filter(({ severity }) => severity === 'error')).toEqual([])
          // As they are, Go's reader of YAML refuses these.
          expect(filled).not.toMatch(/[\u0080-\u009f\ufffe\uffff]/)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('refuses keys that no reader takes, and such that would change the map', () => {
    const refusal = (body: string, x: string) =>
      fill(body, { 'var.x': x }).unresolved.map(({ line, column, problem, message }) => `${line}:${column} ${problem}: ${message}`)
    const key = 'a:\n  ${drover:var.x}: 1\n  fixed: 2\n'
    expect(refusal(key, 'x'.repeat(1024))).toEqual([])
    expect(refusal(key, 'x'.repeat(1025))).toEqual([
      '2:3 unfit: the value of ${drover:var.x} makes a key of more than 1,024 characters, which no reader of YAML takes',
    ])
    expect(refusal('a:\n  ? ${drover:var.x}\n  : 1\n', 'x'.repeat(5000))).toEqual([])
    expect(refusal(key, 'fixed')).toEqual(['2:3 unfit: the value of ${drover:var.x} makes a key that the same map has already'])
    expect(refusal(key, '<<')).toEqual(['2:3 unfit: the value of ${drover:var.x} makes the key <<, which brings in another map'])
    expect(refusal('${drover:var.x}: 1\np${drover:var.x}: 1\n', 'p')).toEqual([])
    expect(refusal('${drover:var.x}: 1\n"${drover:var.x}": 1\n', 'p')).toEqual([
      '2:2 unfit: the value of ${drover:var.x} makes a key that the same map has already',
    ])
    expect(read(fill('a: {"${drover:var.x}": 1}\n${drover:var.x}: 2\n', { 'var.x': '1.0' }).body)).toEqual({ a: { '1.0': 1 }, '1.0': 2 })
  })

  it('refuses a file that its values make too large', () => {
    const body = `a:\n${'- "${drover:var.x}"\n'.repeat(300)}`
    expect(fill(body, { 'var.x': 'x'.repeat(4096) }).unresolved).toMatchObject([
      { problem: 'unfit', reference: '', message: 'with the values of its references the file is larger than 1048576 bytes' },
    ])
    expect(fill(body, { 'var.x': ','.repeat(400) }).unresolved).toMatchObject([
      { problem: 'unfit', message: 'with the values of its references the file has more than 50000 lines and items' },
    ])
  })

  it('refuses references behind a tag, which makes something else of them than text', () => {
    for (const tag of ['!!int', '!!binary', '!!merge']) {
      const body = `a: ${tag} "\${drover:var.x}"\n`
      expect(findReferences([file(body)]).findings).toMatchObject([{ severity: 'error', code: 'tagged-reference', line: 1, column: 5 + tag.length }])
      expect(fill(body, { 'var.x': '1' }).unresolved[0]?.message).toContain(`behind the tag ${tag}`)
    }
    expect(read(fill('a: !!str ${drover:var.x}\n', { 'var.x': '1' }).body)).toEqual({ a: '1' })
  })

  it('refuses control characters, and what would break out of a reference around it', () => {
    expect(fill('a: ${drover:agent.x}\n', { 'agent.x': 'a\u0000b' }).unresolved).toMatchObject([
      { problem: 'unfit', reference: '${drover:agent.x}', line: 1, column: 4 },
    ])
    const nested = 'a: "${env:HOST:-${drover:var.x}}"\n'
    expect(read(fill(nested, { 'var.x': 'fallback' }).body)).toEqual({ a: '${env:HOST:-fallback}' })
    for (const x of ['}', '${env:SECRET}', 'a\nb']) {
      const { unresolved } = fill(nested, { 'var.x': x })
      expect(unresolved).toMatchObject([{ problem: 'unfit' }])
      expect(unresolved[0]?.message).toBe('the value of ${drover:var.x} has $, {, } or a line end, which cannot stand inside of another reference')
    }
  })

  it('names everything that has no value, with what to do', () => {
    const { unresolved } = fill('a: ${drover:agent.os.type}\nb: ${drover:label.site}\nc: ${drover:var.v}\nd: ${drover:secret.s}\ne: ${drover:oops}\n')
    expect(unresolved.map(({ reference, problem, line, message }) => `${line} ${reference} ${problem}: ${message}`)).toEqual([
      '1 ${drover:agent.os.type} missing: the agent reports no attribute os.type',
      '2 ${drover:label.site} missing: the agent has no label site: set it',
      '3 ${drover:var.v} missing: the variable v is not set: set it in the group',
      '4 ${drover:secret.s} missing: there is no value for the secret s: give it one, and the group a revision with it',
      expect.stringMatching(/^5 \$\{drover:oops\} malformed: /),
    ])
  })

  it('leaves references of one kind as they are written when asked to', () => {
    const template = readTemplate(file('a: Bearer ${drover:secret.t}\nb: "${drover:secret.t}"\nc: ${drover:var.v}\n'))
    expect(fillTemplate(template, values({ 'var.v': 'x' }), 'secret')).toEqual({
      body: 'a: "Bearer ${drover:secret.t}"\nb: "${drover:secret.t}"\nc: x\n',
      unresolved: [],
    })
  })

  it('works with a byte order mark and with Windows line ends', () => {
    expect(read(fill('\uFEFFa: "${drover:var.x}"\r\nb: ${drover:var.x}\r\n', { 'var.x': 'y' }).body)).toEqual({ a: 'y', b: 'y' })
  })
})

describe('fillText', () => {
  it('fills in a header as it is', () => {
    expect(fillText('Bearer ${drover:secret.t}', 'own metrics', values({ 'secret.t': 'a$b"c' }))).toEqual({ body: 'Bearer a$b"c', unresolved: [] })
    expect(fillText('$${drover:secret.t}', 'own metrics', values({})).body).toBe('${drover:secret.t}')
  })

  it('refuses values that would begin another header, and names what is missing', () => {
    expect(fillText('${drover:var.x}', 'own metrics', values({ 'var.x': 'a\r\nX-Evil: 1' })).unresolved).toMatchObject([
      { problem: 'unfit', file: 'own metrics' },
    ])
    expect(fillText('${drover:var.x}', 'own metrics', values({})).unresolved).toMatchObject([{ problem: 'missing' }])
  })
})
