import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { keys } from './keys.ts'
import { keysPage } from './keys-page.ts'

const page = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'operations', 'supervisor-keys.md')

describe('keysPage', () => {
  it('is what docs/operations/supervisor-keys.md says (vitest --update writes it)', async () => {
    await expect(keysPage()).toMatchFileSnapshot(page)
  })

  it('has every key', () => {
    for (const name of Object.keys(keys)) expect(keysPage()).toContain(`| \`${name}\` |`)
  })
})
