/** The catalogue: complete, checked as any configuration is, and honest about what people have to fill in. */
import { validateCollectorConfig } from '@drover/agent-config'
import { fillTemplate, findReferences, readTemplate } from '@drover/fleet'
import { describe, expect, it } from 'vitest'
import { startTestConsole } from '../test-console.ts'
import { readTemplates } from './templates.ts'

const templates = readTemplates()

describe('templates', () => {
  it('are ten, each with a name of its own, served as they are', async () => {
    expect(new Set(templates.map(({ name }) => name)).size).toBe(10)
    await using console = await startTestConsole()
    expect((await console.api.listTemplates({})).data.items).toEqual(templates)
    const template = templates.find(({ name }) => name === 'otlp-gateway')
    expect(template?.components).toEqual([
      { kind: 'receiver', type: 'otlp' },
      { kind: 'processor', type: 'memory_limiter' },
      { kind: 'processor', type: 'batch' },
      { kind: 'exporter', type: 'otlphttp' },
    ])
  })

  it('become a config and a group as they are, once their names have values', async () => {
    await using console = await startTestConsole()
    for (const name of ['backend_token']) await console.api.setSecret({ params: { name }, body: { value: 'a token' } })
    for (const { name, files, variables } of templates) {
      await console.api.createConfig({ body: { name, files } })
      const values = Object.fromEntries(variables.map((variable) => [variable.name, variable.example]))
      const body = { name, selector: '*', configs: [{ config: name, version: 1 }], variables: values }
      expect((await console.api.previewGroup({ body })).data.findings).toEqual([])
      await console.api.createGroup({ body })
    }
  })

  it.for(templates.map((template) => [template.name, template] as const))(
    '%s: lists the names that it uses, and no other',
    ([, { files, variables, secrets }]) => {
      const { references, findings } = findReferences(files)
      expect(findings).toEqual([])
      const used = (kind: string) => [...new Set(references.filter((reference) => reference.kind === kind).map(({ name }) => name))].toSorted()
      expect(used('var')).toEqual(variables.map(({ name }) => name).toSorted())
      expect(used('secret')).toEqual(secrets.map(({ name }) => name).toSorted())
      expect(used('label')).toEqual([])
      expect(files[0]?.body.startsWith('# ')).toBe(true)
    },
  )

  it.for(templates.map((template) => [template.name, template] as const))('%s: is without any finding once it is filled in', ([, { files, variables }]) => {
    const values = new Map(variables.map(({ name, example }) => [name, example]))
    const filled = files.map((file) => {
      const { body, unresolved } = fillTemplate(readTemplate(file), (kind, name) => (kind === 'var' ? values.get(name) : 'text'))
      expect(unresolved).toEqual([])
      return { ...file, body }
    })
    expect(validateCollectorConfig(filled)).toEqual([])
  })
})
