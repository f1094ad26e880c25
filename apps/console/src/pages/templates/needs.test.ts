/** Templates: what they need, how they are found. */
import type { Template } from '@drover/api'
import { expect, it } from 'vitest'
import { categoriesOf, freeConfigName, missingSecrets, searchTemplates } from './needs.ts'

const template = (part: Partial<Template>): Template => ({
  name: 'gateway-otlp',
  title: 'OTLP gateway',
  description: 'Passes telemetry on',
  category: 'gateway',
  fragment: false,
  components: [{ kind: 'exporter', type: 'otlp_http' }],
  variables: [],
  secrets: [],
  files: [],
  ...part,
})

it('lists categories that have templates, in a fixed order', () => {
  expect(categoriesOf([template({ category: 'logs' }), template({}), template({ category: 'logs' })])).toEqual(['gateway', 'logs'])
})

it('finds templates by words of title, description and components', () => {
  const all = [template({}), template({ name: 'host', title: 'Host metrics', components: [{ kind: 'receiver', type: 'hostmetrics' }] })]
  expect(searchTemplates(all, 'OTLP gate')).toHaveLength(1)
  expect(searchTemplates(all, 'hostmetrics').map(({ name }) => name)).toEqual(['host'])
  expect(searchTemplates(all, ' ')).toHaveLength(2)
  expect(searchTemplates(all, 'otlp kafka')).toEqual([])
})

it('says which secrets are not there yet', () => {
  const secrets = ['a', 'b'].map((name) => ({ name, description: '' }))
  expect(missingSecrets(template({ secrets }), ['a', 'c'])).toEqual(['b'])
})

it('takes the next free name for a config', () => {
  expect(freeConfigName('host', [])).toBe('host')
  expect(freeConfigName('host', ['host', 'host-2'])).toBe('host-3')
})
