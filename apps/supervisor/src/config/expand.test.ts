/** References, as the Collector's configuration has them. */
import { describe, expect, it } from 'vitest'
import { expandDocument } from './expand.ts'
import { Expanded } from './raw-value.ts'
import { testHost } from './test-host.ts'
import type { TestMachine } from './test-host.ts'

const env = {
  HOST: 'drover.example.com',
  PORT: '4320',
  ON: 'true',
  LEADING: '0123',
  EMPTY: '',
  LIST: '- a\n- ${env:HOST}',
  NESTED: 'x-${env:HOST}',
  QUOTED: '"q"',
  A: '${env:B}',
  B: '${env:A}',
}

function expand(value: string, machine: TestMachine = { env }) {
  const findings: string[] = []
  const { v } = expandDocument({ v: value }, testHost(machine), (severity, path, message) => findings.push(`${severity}: ${path.join('.')}: ${message}`))
  return { v, findings }
}
const valueOf = (text: string, machine?: TestMachine) => expand(text, machine).v

describe('expandDocument', () => {
  it('fills in environment variables within a text', () => {
    expect(valueOf('wss://${env:HOST}:${PORT}/v1')).toBe('wss://drover.example.com:4320/v1')
  })

  it('keeps text and meaning of a value that is nothing but a reference', () => {
    expect(valueOf('${env:ON}')).toEqual(new Expanded(true, 'true'))
    expect(valueOf('${env:LEADING}')).toEqual(new Expanded(123, '0123'))
    expect(valueOf('${env:HOST}')).toBe('drover.example.com')
    expect(valueOf('${env:QUOTED}')).toBe('"q"')
    expect(valueOf('${env:EMPTY}')).toEqual(new Expanded(null, ''))
    expect(valueOf('${env:LIST}')).toMatchObject({ value: ['a', 'drover.example.com'] })
  })

  it('fills in what references bring', () => {
    expect(valueOf('a ${env:NESTED}')).toBe('a x-drover.example.com')
    expect(valueOf('${env:${env:WHICH}}', { env: { WHICH: 'HOST', HOST: 'h' } })).toBe('h')
  })

  it('takes a default where a variable is not set, and its emptiness where it is', () => {
    expect(valueOf('${env:NONE:-d:-e} ${env:EMPTY:-d}')).toBe('d:-e ')
    expect(expand('a${env:NONE}b')).toEqual({ v: 'ab', findings: ['warning: v: the environment variable NONE is not set, so ${env:NONE} is empty'] })
  })

  it('takes two dollars for one that is meant as such', () => {
    expect(valueOf('$$HOME costs 5$ $${env:HOST}')).toBe('$HOME costs 5$ ${env:HOST}')
    expect(valueOf('$$${env:HOST}')).toBe('$drover.example.com')
    expect(valueOf('$$$${env:HOST}')).toBe('$${env:HOST}')
    expect(valueOf('${env:X}', { env: { X: 'a$$b' } })).toBe('a$b')
  })

  it('leaves what is no reference alone', () => {
    for (const text of ['plain', '$HOME', 'a } b', '${open', '$REMOTE_CONFIG']) expect(valueOf(text)).toBe(text)
  })

  it('reads files, relative to where the supervisor was started', () => {
    const files = { '/here/token': 'abc\n', '/etc/tls.yaml': 'insecure_skip_verify: true\nca_file: ${env:CA}\n' }
    expect(valueOf('Bearer ${file:token}', { files })).toBe('Bearer abc\n')
    expect(valueOf('${file:/etc/tls.yaml}', { files, env: { CA: '/ca' } })).toMatchObject({ value: { insecure_skip_verify: true, ca_file: '/ca' } })
    expect(expand('${file:none}').findings).toEqual(['error: v: cannot read /here/none: there is no such file'])
  })

  it('reads YAML that is written in place', () => {
    expect(valueOf('${yaml:[1, two]}')).toMatchObject({ value: [1, 'two'] })
  })

  it.each([
    ['${env:1X}', '${env:1X} does not name an environment variable: letters, digits and _ only'],
    ['${}', '${} does not name an environment variable: letters, digits and _ only'],
    ['${vault:secret}', '${vault:secret} cannot be filled in: env, file and yaml are known, vault is not; a $ that is meant as such is written $$'],
    ['${:x}', '${:x} is not a reference such as ${env:NAME}'],
    ['${env:A$B}', '${env:A$B} has a $ inside, which a reference cannot have'],
    ['${env:A}', 'its references lead back to themselves'],
    ['x${env:A}', 'its references lead back to themselves'],
  ])('refuses %s', (text, message) => {
    expect(expand(text)).toEqual({ v: undefined, findings: [`error: v: ${message}`] })
  })

  it('bounds what references can grow to', () => {
    expect(expand('${env:X}', { env: { X: 'a'.repeat(600_000) + '${env:Y}', Y: 'b'.repeat(600_000) } }).findings).toEqual([
      'error: v: it becomes too long when its references are filled in',
    ])
    expect(expand('${env:X}', { env: { X: '[{a: "${env:X}"}, {a: "${env:X}"}]' } }).findings).toEqual(['error: v: its references lead back to themselves'])
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((name, n) => `${name}: &${name} [${`*${'abcdefgh'[n]},`.repeat(10)}]`)
      .join('\n')}`
    expect(valueOf('${env:X}', { env: { X: bomb } })).toBe(bomb)
  })

  it('does not show a reference that was put together from other values', () => {
    expect(JSON.stringify(expand('${env:${env:SECRET}}', { env: { SECRET: 'hunter2 canary' } }).findings)).not.toContain('canary')
    expect(JSON.stringify(expand('${${env:SECRET}}', { env: { SECRET: 'canary:x' } }).findings)).not.toContain('${canary')
  })
})
