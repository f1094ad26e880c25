/** The example of the README is a program: this runs it as it stands there. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'

const here = import.meta.dirname

it('the example of the README runs', async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(here, '../README.md'), 'utf8'))?.[1] ?? ''
  const said = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const folder = mkdtempSync(join(here, 'readme-example-'))
  try {
    const example = join(folder, 'example.ts')
    writeFileSync(example, code.replace("'@drover/agent-config'", "'../index.ts'"))
    await import(example)
    expect(said).toHaveBeenCalledWith(expect.stringMatching(/^exporters:\n {2}debug: null\nextensions:\n {2}opamp:\n[\s\S]*receivers:\n {2}otlp:\n/))
  } finally {
    rmSync(folder, { recursive: true })
    said.mockRestore()
  }
})
