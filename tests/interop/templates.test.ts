/** Every template of the catalogue, filled in as its own examples say, read by a real Collector. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Template } from '@drover/api'
import { fillTemplate, readTemplate } from '@drover/fleet'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTemporaryFolder, startServer } from '../harness/index.ts'
import type { Server, TemporaryFolder } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'

const run = promisify(execFile)

await describeWithPeers('the templates', ['catalogue-collector'], (peers) => {
  let server: Server
  let folder: TemporaryFolder
  let templates: readonly Template[]

  beforeAll(async () => {
    server = await startServer()
    folder = await createTemporaryFolder()
    templates = (await server.api.listTemplates({})).data.items
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  /** What the Collector says against a configuration; empty: nothing. */
  const objections = async (name: string, body: string): Promise<string> => {
    const path = join(folder.path, `${name}.yaml`)
    await writeFile(path, body)
    return run(peers['catalogue-collector'], ['validate', '--config', path], { env: { K8S_NODE_NAME: 'node-1', PATH: '' }, timeout: 60_000 }).then(
      () => '',
      (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)),
    )
  }
  /** With the examples of its variables, and folders that may be made here. */
  const fill = ({ files, variables }: Template): string => {
    const values = new Map(variables.map(({ name, example }) => [name, name.endsWith('_directory') ? join(folder.path, name) : example]))
    const [file] = files
    if (file === undefined) throw new Error('a template without a file')
    const { body, unresolved } = fillTemplate(readTemplate(file), (kind, name) => (kind === 'var' ? values.get(name) : `a-${kind}`))
    expect(unresolved).toEqual([])
    // The receiver opens the certificate of its pod when it is made, and there is no pod here.
    return body.replace(/(kubeletstats:\n.*\n\s*auth_type: )serviceAccount/, '$1none')
  }

  it('are all read without objection', async () => {
    expect(templates.length).toBeGreaterThanOrEqual(10)
    for (const template of templates) expect(`${template.name}: ${await objections(template.name, fill(template))}`).toBe(`${template.name}: `)
  })

  it('would be objected to with a component, a key or a value that the Collector does not know', async () => {
    const gateway = templates.find(({ name }) => name === 'otlp-gateway')
    if (gateway === undefined) throw new Error('there is no template otlp-gateway')
    const body = fill(gateway)
    expect(await objections('key', body.replace('check_interval:', 'chekc_interval:'))).toContain('chekc_interval')
    expect(await objections('type', body.replaceAll('memory_limiter', 'memory_limit'))).toContain('memory_limit')
    expect(await objections('value', body.replace('queue_size: 1000', 'queue_size: many'))).toContain('queue_size')
  })
})
