import { describe, expect, it } from 'vitest'
import { defaultLimits } from './limits.ts'
import { parseYaml } from './parse.ts'

const found = (text: string) => parseYaml(text, 'f.yaml').findings.map(({ severity, code, line, column }) => ({ severity, code, line, column }))
const only = (code: string, line: number, column: number, severity = 'error') => [{ severity, code, line, column }]

describe('parseYaml', () => {
  it('reads a document and says where each path is written', () => {
    const { document, findings, locate } = parseYaml('receivers:\n  otlp/2:\n    protocols: {grpc: }\nlist:\n  - a\n  - b\n', 'f.yaml')
    expect(findings).toEqual([])
    expect(document).toEqual({ receivers: { 'otlp/2': { protocols: { grpc: null } } }, list: ['a', 'b'] })
    expect(locate(['receivers', 'otlp/2', 'protocols', 'grpc'])).toEqual({ line: 3, column: 17 })
    expect(locate(['list', 1])).toEqual({ line: 6, column: 5 })
    expect(locate(['receivers', 'nowhere', 'deep'])).toEqual({ line: 1, column: 1 })
  })

  it('names the line and column of a syntax error', () => {
    expect(found('a: 1\nb: "open\n')[0]).toMatchObject({ code: 'yaml-syntax', line: 3 })
    expect(found('a: [1, 2\n')[0]).toMatchObject({ severity: 'error', code: 'yaml-syntax' })
  })

  it('refuses tabs as indentation', () => {
    expect(found('a:\n\tb: 1\n')).toEqual(only('tab-indentation', 2, 1))
    expect(found('a: 1\r\n\t\r\nb: 2\n')).toEqual(only('tab-indentation', 2, 1))
    expect(found('a: 1\n\t# comment\n')).toEqual(only('tab-indentation', 2, 1))
    expect(found('a:\n  \tb: 1\n')[0]?.severity).toBe('error')
    expect(found('a: 1\t# comment\nb:\t2\n \t\n')).toEqual([])
  })

  it('refuses duplicate keys, also when they are written differently', () => {
    expect(found('a: 1\nb: 2\n"a": 3\n')).toEqual(only('duplicate-key', 3, 1))
    expect(found('x:\n  k: 1\n  k: 1\n')).toEqual(only('duplicate-key', 3, 3))
  })

  it('finds duplicates among very many keys in time that grows with their number', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `key${index}: ${index}`)
    expect(found([...keys, 'key7: again'].join('\n'))).toEqual(only('duplicate-key', 20_001, 1))
  })

  it('takes a byte order mark for a warning and counts columns without it', () => {
    const { document, findings, locate } = parseYaml('\uFEFFa: 1\n', 'f.yaml')
    expect(document).toEqual({ a: 1 })
    expect(findings).toMatchObject([{ severity: 'warning', code: 'byte-order-mark' }])
    expect(locate(['a'])).toEqual({ line: 1, column: 1 })
  })

  it('reads files with CRLF line ends', () => {
    expect(parseYaml('a: 1\r\nb:\r\n  c: x\r\n', 'f').document).toEqual({ a: 1, b: { c: 'x' } })
    expect(found('a: 1\r\na: 2\r\n')).toEqual(only('duplicate-key', 2, 1))
  })

  it('warns about files without content', () => {
    for (const text of ['', '  \n', '# only a comment\n', '---\n', 'null\n']) {
      expect(found(text)).toEqual(only('empty-file', 1, 1, 'warning'))
      expect(parseYaml(text, 'f').document).toBeUndefined()
    }
  })

  it('refuses what is no map', () => {
    expect(found('- a\n')).toEqual(only('not-a-map', 1, 1))
    expect(found('just text')).toEqual(only('not-a-map', 1, 1))
  })

  it('refuses a second document, which agents would ignore in silence', () => {
    expect(found('a: 1\n---\nb: 2\n')[0]).toMatchObject({ code: 'multiple-documents', severity: 'error' })
  })

  it('refuses control characters with their place', () => {
    expect(found('a: 1\nb: x\u0000y\n')).toEqual(only('control-character', 2, 5))
    expect(found('a: \uD800\n')).toEqual([{ severity: 'error', code: 'invalid-text', line: undefined, column: undefined }])
  })

  it('refuses a file above the limit before reading it', () => {
    const { findings, document } = parseYaml(`a: "${'x'.repeat(defaultLimits.maxFileBytes)}"`, 'f')
    expect(findings).toMatchObject([{ code: 'too-large' }])
    expect(document).toBeUndefined()
  })

  it('counts bytes, not characters, for the size limit', () => {
    expect(parseYaml('a: äöü', 'f', { ...defaultLimits, maxFileBytes: 8 }).findings).toMatchObject([{ code: 'too-large' }])
    expect(parseYaml('a: äöü', 'f', { ...defaultLimits, maxFileBytes: 9 }).findings).toEqual([])
  })

  it('follows aliases and merge keys, explicit keys first', () => {
    const { document, findings } = parseYaml('base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, y: 9}\ntwo:\n  <<: [*m, *b]\nthree: *b\n', 'f')
    expect(findings).toEqual([])
    expect(document).toMatchObject({ one: { x: 1, y: 9 }, two: { y: 3, z: 4, x: 1 }, three: { x: 1, y: 2 } })
  })

  it('stops an alias bomb by what it would expand to', () => {
    const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array.from({ length: 10 }, () => `*a${n}`).join(', ')}]`)
    const { findings, document } = parseYaml(`a0: &a0 [x]\n${levels.join('\n')}\n`, 'f')
    expect(findings).toMatchObject([{ severity: 'error', code: 'too-many-values', line: 6 }])
    expect(document).toBeUndefined()
  })

  it('refuses an alias inside the value it stands for, and one without anchor', () => {
    expect(found('a: &x\n  b: *x\n')).toEqual(only('recursive-alias', 2, 6))
    expect(found('a: *nowhere\n')[0]).toMatchObject({ severity: 'error', code: 'yaml-syntax' })
  })

  it('refuses deep nesting in every style', () => {
    expect(found('['.repeat(5000))[0]?.severity).toBe('error')
    expect(found(`a: ${'['.repeat(120)}${']'.repeat(120)}`)[0]?.severity).toBe('error')
    expect(found(`a:\n  ${'- '.repeat(20_000)}x`)[0]?.severity).toBe('error')
    expect(found(`a: ${'{b: '.repeat(110)}1${'}'.repeat(110)}`)[0]?.severity).toBe('error')
    expect(found(`a: ${'['.repeat(90)}${']'.repeat(90)}`)).toEqual([])
  })

  it('stops at the level that is too deep, whatever the style, without reading on', () => {
    for (const [opener, column] of [
      ['[', 101],
      ['{b: ', 401],
      ['- ', 201],
      ['? ', 201],
      ['b: ', 302],
      ['!t ', 301],
    ] as const)
      expect(parseYaml(opener.repeat(20_000), 'f').findings[0]).toMatchObject({ message: 'the document is nested too deeply', line: 1, column })
    const indented = Array.from({ length: 1300 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')
    expect(parseYaml(indented, 'f').findings[0]).toMatchObject({ message: 'the document is nested too deeply' })
  })

  it('does not take brackets in texts, or many short maps in a line, for nesting', () => {
    const open = '['.repeat(300)
    expect(found(`a: x${open}\nb: "${open}"\nc: '${open}'\nd: |\n  ${open}\n# ${open}\n`)).toEqual([])
    expect(found(`a: [${'{b: 1}, '.repeat(300)}{b: 1}]\nc: {${Array.from({ length: 300 }, (_, n) => `k${n}: [${n}]`).join(', ')}}\n`)).toEqual([])
    expect(found('a:\n  - b: 1\n    c: 2\n'.concat('  - {b: 1}\n'.repeat(300)))).toEqual([])
  })

  it('adds the depth of an anchored value to the depth where its alias stands', () => {
    const nested = (depth: number, inner: string) => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`
    expect(found(`a: &a ${nested(60, '1')}\nb: ${nested(60, '*a')}\n`)[0]).toMatchObject({ code: 'too-deep', line: 2 })
  })

  it('stops after a number of problems, whatever kind they are', () => {
    for (const text of [
      '}'.repeat(100_000),
      `a: ${'|\n'.repeat(20_000)}`,
      `a: ${'*a '.repeat(100_000)}`,
      `a: ${'&a '.repeat(100_000)}`,
      '%x\n'.repeat(20_000),
    ]) {
      const { findings, document } = parseYaml(text, 'f')
      expect(document).toBeUndefined()
      expect(findings.length).toBeGreaterThan(0)
      expect(findings.length).toBeLessThanOrEqual(defaultLimits.maxFindings)
    }
  })

  it('refuses a file with too many lines or items before reading it', () => {
    expect(found('\n'.repeat(60_000))).toMatchObject([{ code: 'too-large', line: undefined }])
    expect(found(`a: [${'1,'.repeat(60_000)}]`)).toMatchObject([{ code: 'too-large' }])
  })

  it('keeps keys that objects treat specially, and no prototype is touched', () => {
    const { document } = parseYaml('__proto__: {polluted: true}\nconstructor: 1\n', 'f')
    expect(Object.keys(document ?? {})).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('takes keys as written and refuses keys that are no text', () => {
    expect(Object.keys(parseYaml('8080: a\n1.0: b\ntrue: c\n', 'f').document ?? {})).toEqual(['8080', '1.0', 'true'])
    expect(found('? [a, b]\n: c\n')[0]).toMatchObject({ code: 'unsupported-key' })
    expect(found(': c\n')[0]).toMatchObject({ code: 'unsupported-key' })
  })

  it('keeps whole numbers exact', () => {
    expect(parseYaml('a: 18446744073709551615\nb: -9007199254740993\nc: 42\nd: 1e30\n', 'f').document).toEqual({
      a: 18446744073709551615n,
      b: -9007199254740993n,
      c: 42,
      d: 1e30,
    })
  })

  it('reads numbers as the Collector does', () => {
    const { document } = parseYaml(
      'a: 0777\nb: 1_000\nc: 0b11\nd: -0x1F\ne: 0o17\nf: 09\ng: 1_0.5\nh: "0777"\ni: !!str 010\nj: 12:30\nk: 1e\nl: .5\nm: 18446744073709551616\n',
      'f',
    )
    expect(document).toEqual({ a: 511, b: 1000, c: 3, d: -31, e: 15, f: 9, g: 10.5, h: '0777', i: '010', j: '12:30', k: '1e', l: 0.5, m: 18446744073709551616 })
  })

  it('does not let a version directive change what words mean', () => {
    expect(parseYaml('%YAML 1.1\n---\na: yes\nb: 010\n', 'f').document).toEqual({ a: 'yes', b: 8 })
  })

  it('refuses the line separators that Go takes for line ends', () => {
    expect(found('a: 1\nb: x\u0085y\n')).toEqual(only('control-character', 2, 5))
  })

  it('leaves references to the Collector', () => {
    expect(parseYaml('a: ${env:HOST}:4317\nb: ${file:/etc/x}\n', 'f').document).toEqual({ a: '${env:HOST}:4317', b: '${file:/etc/x}' })
  })

  it('never puts the text around an error into its message', () => {
    const { findings } = parseYaml('password: hunter2-canary\n  bad indent: [\n', 'f')
    expect(findings.length).toBeGreaterThan(0)
    expect(JSON.stringify(findings)).not.toContain('canary')
  })
})
