import { validateCollectorConfig } from '@drover/agent-config'
import { describe, expect, it } from 'vitest'
import { baselineConfig } from './baseline.ts'
import { drift } from './drift.ts'
import { parseDuration } from './duration.ts'

const compare = (desired: string, effective: string) =>
  drift(desired, [{ name: '', contentType: '', body: effective }])?.map(({ path, kind }) => `${kind} ${path}`)

describe('drift', () => {
  it('names values that are missing or otherwise, and does not mind what the agent adds', () => {
    expect(compare('a: {x: 1, y: 2, z: 3}\nl: [1, 2]\n', 'a: {x: 1, y: 5, own: 7}\nl: [2, 1]\nmore: 1\n')).toEqual(['changed a.y', 'missing a.z', 'changed l'])
    expect(drift('a: {y: 2}', [{ name: '', contentType: '', body: 'a: {y: 5}' }])).toEqual([{ path: 'a.y', kind: 'changed', desired: 2, effective: 5 }])
  })

  it('expects the supervisor to add extensions', () => {
    expect(compare('service: {extensions: [health_check]}', 'service: {extensions: [opamp, health_check]}')).toEqual([])
    expect(compare('service: {extensions: [health_check]}', 'service: {extensions: [opamp]}')).toEqual(['changed service.extensions'])
  })

  it('believes what either side has redacted', () => {
    expect(compare('a: {password: "[REDACTED]", url: "https://[REDACTED]@h"}', 'a: {password: secret, url: "https://u:p@h"}')).toEqual([])
    expect(compare('a: {password: secret}', 'a: {password: "[REDACTED]"}')).toEqual([])
    expect(compare('headers: {x: secret}', 'headers: "[REDACTED]"')).toEqual([])
  })

  it('accepts whatever a reference could have become', () => {
    expect(
      compare(
        'a: "${env:HOST}:4317"\nb: ${env:PORT}\nc: ${file:x.yaml}\nd: "${env:A}-${env:B}.x"\n',
        'a: "web:4317"\nb: 8080\nc: {any: [thing]}\nd: "1-2-3.x"\n',
      ),
    ).toEqual([])
    expect(compare('a: "${env:HOST}:4317"\nb: "x-${env:A}-y"\nc: "${env:A}+${env:B}"\n', 'a: "web:4318"\nb: "x-y"\nc: "12"\n')).toEqual([
      'changed a',
      'changed b',
      'changed c',
    ])
    expect(compare('a: "${env:HOST}"\n', 'a: "${env:HOST}"\n')).toEqual([])
    expect(compare('a: "${env:HOST}"\n', 'b: 1\n')).toEqual(['missing a'])
  })

  it('takes numbers, switches and durations for what they mean', () => {
    expect(compare('a: 1m\nb: 5\nc: true\nd: 1.0\ne: 1h30m\nf: 5s\n', 'a: 60s\nb: "5"\nc: "true"\nd: 1\ne: 90m0s\nf: 5000000000\n')).toEqual([])
    expect(compare('a: 1m\nb: ""\n', 'a: 61s\nb: 0\n')).toEqual(['changed a', 'changed b'])
  })

  it('takes an empty value, an empty map and defaults in their place for the same', () => {
    expect(compare('r: {otlp: , nop: {}}', 'r: {otlp: {}, nop: }')).toEqual([])
    expect(compare('r: {otlp: }', 'r: {otlp: {endpoint: x}}')).toEqual([])
    expect(compare('r: {otlp: }', 'r: {}')).toEqual(['missing r.otlp'])
    expect(compare('r: {otlp: {a: 1}}', 'r: {otlp: }')).toEqual(['changed r.otlp'])
  })

  it('compares maps inside lists by the same rules', () => {
    expect(compare('l: [{a: 1}, {b: "${env:X}"}]', 'l: [{a: 1, more: 2}, {b: 7}]')).toEqual([])
    expect(compare('l: [{a: 1}]', 'l: [{a: 2}]')).toEqual(['changed l'])
  })

  it('says nothing about what it cannot read', () => {
    expect(compare('a: 1', 'a: [')).toBeUndefined()
  })
})

describe('parseDuration', () => {
  it('reads durations as Go does', () => {
    expect(['1m30s', '1.5h', '250ms', '3µs', '10ns', '-2s', '.5s'].map(parseDuration)).toEqual([9e10, 5.4e12, 2.5e8, 3000, 10, -2e9, 5e8])
    expect(['', 's', '5', '5 s', '1d', 'abc', '1m-2s'].map(parseDuration)).toEqual([undefined, undefined, 5, undefined, undefined, undefined, undefined])
  })
})

describe('baselineConfig', () => {
  const nop = [
    { kind: 'receiver', type: 'nop' },
    { kind: 'exporter', type: 'nop' },
  ]

  it('is a configuration that a Collector takes', () => {
    expect(validateCollectorConfig(baselineConfig(nop) ?? [])).toEqual([])
    expect(baselineConfig(undefined)).toEqual(baselineConfig(nop))
  })

  it('is nothing for agents that lack the parts', () => {
    expect(baselineConfig(nop.slice(0, 1))).toBeUndefined()
    expect(baselineConfig(nop.slice(1))).toBeUndefined()
    expect(baselineConfig([])).toBeUndefined()
  })
})
