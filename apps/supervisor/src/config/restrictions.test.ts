import { describe, expect, it } from 'vitest'
import { explainConfig } from './explain.ts'
import { errorsIn, least, load } from './test-host.ts'

const withKeys = (lines: string) => `${least}drover:\n  restrictions:\n    ${lines.replaceAll('\n', '\n    ')}\n`

describe('drover.restrictions', () => {
  it('are an allow list: absent parts restrict nothing, empty ones allow nothing [SEC-06]', () => {
    const { config, ...loaded } = load(withKeys('components: {receivers: [otlp, hostmetrics], exporters: []}\npaths: [/var/log]'))
    expect(config.drover.restrictions).toEqual({ components: { receiver: ['otlp', 'hostmetrics'], exporter: [] }, paths: ['/var/log'] })
    expect(explainConfig({ config, ...loaded }).sections.find(({ title }) => title === 'Remote configuration may use')?.facts).toEqual([
      ['receivers', 'otlp, hostmetrics'],
      ['processors', 'any'],
      ['exporters', 'none'],
      ['connectors', 'any'],
      ['extensions', 'any'],
      ['files in', '/var/log'],
      ['references to', 'any'],
    ])
    expect(load(least).config.drover.restrictions).toBeUndefined()
    expect(load(withKeys('references: [env]')).config.drover.restrictions).toEqual({ components: {}, references: ['env'] })
  })

  it.each([
    ['', '6:3: error: drover.restrictions: takes keys of its own, and this is empty'],
    ['components:', '7:5: error: drover.restrictions.components: takes keys of its own, and this is empty'],
    ['paths:', '7:5: error: drover.restrictions.paths: takes a list, [] for none, and this is empty'],
    ['paths: /var/log', '7:5: error: drover.restrictions.paths: takes a list, [] for none, and this is a text'],
    ...['var/log', '/var/log/*', '/var/../etc'].map((path) => [
      `paths: [${path}]`,
      '7:13: error: drover.restrictions.paths[0]: takes an absolute path without .. and wildcards; a folder stands for all that is in it',
    ]),
    [
      'components: {receivers: [otlp/2]}',
      '7:30: error: drover.restrictions.components.receivers[0]: takes the type of a component, such as otlp, which allows otlp/2 as well',
    ],
    ['components: {receiver: []}', '7:18: error: drover.restrictions.components.receiver: there is no such key: did you mean receivers?'],
    ['references: ["env:"]', '7:18: error: drover.restrictions.references[0]: takes the scheme of a reference, such as env or file'],
  ])('%j is wrong', (lines, sentence) => {
    expect(errorsIn(withKeys(lines ?? ''))).toContain(sentence)
  })

  it('are for Collectors, and their paths are not for Windows', () => {
    expect(errorsIn(withKeys('paths: [/var/log]'), { platform: 'win32' })).toEqual(['7:5: error: drover.restrictions.paths: is not possible on Windows'])
    expect(errorsIn(`${withKeys('references: []')}  agent: {kind: process, config_file: /c}\n`)).toEqual([
      '6:3: error: drover.restrictions: is for Collectors: the format of what another program reads is not known here',
    ])
  })
})
