/** The server secret: where it comes from, and that a wrong one changes nothing. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreUnusableError } from './errors.ts'
import { createSealer } from './sealer.ts'
import { openSealedDatabase } from './server-secret.ts'
import type { SecretSources } from './server-secret.ts'
import { makeTempDir } from './test-store.ts'

const SECRET = 'correct horse battery staple and more'

let dir: ReturnType<typeof makeTempDir>
beforeEach(() => {
  dir = makeTempDir()
})
afterEach(() => dir.remove())

const sources = (more: Partial<SecretSources> = {}): SecretSources => ({
  path: join(dir.path, 'server.secret'),
  databasePath: join(dir.path, 'drover.sqlite'),
  file: null,
  value: undefined,
  ...more,
})
/** Opens and closes, with whatever `use` does in between. */
const withDatabase = async <T>(given: SecretSources, use: (opened: ReturnType<typeof openSealedDatabase>) => T): Promise<T> => {
  const opened = openSealedDatabase(given)
  try {
    return use(opened)
  } finally {
    await opened.database.close()
  }
}
const hashes = () =>
  Object.fromEntries(
    readdirSync(dir.path).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(dir.path, name)))
        .digest('hex'),
    ]),
  )
const refusal = (given: SecretSources): string => {
  const before = hashes()
  let message = ''
  try {
    openSealedDatabase(given)
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnusableError)
    message = String(error)
  }
  expect(hashes()).toEqual(before)
  return message
}

describe('the server secret', () => {
  it('is made at first start, for the server alone, and opens what it sealed at the next', async () => {
    const sealed = await withDatabase(sources(), ({ sealer }) => sealer.seal('value', 'a test'))
    expect(statSync(sources().path).mode & 0o777).toBe(0o600)
    expect(readFileSync(sources().path, 'utf8').trim().length).toBeGreaterThanOrEqual(43)
    expect(existsSync(`${sources().path}.new`)).toBe(false)
    expect(await withDatabase(sources(), ({ sealer }) => sealer.open(sealed, 'a test'))).toBe('value')
  })

  it('comes from the environment or a file when one is given, and then none is made', async () => {
    const sealed = await withDatabase(sources({ value: SECRET }), ({ sealer }) => sealer.seal('value', 'a test'))
    const file = join(dir.path, 'mounted')
    writeFileSync(file, `${SECRET}\n`)
    expect(await withDatabase(sources({ file }), ({ sealer }) => sealer.open(sealed, 'a test'))).toBe('value')
    expect(existsSync(sources().path)).toBe(false)
  })

  it('stops the start when it is another, missing, too short, given twice or not readable, and nothing is touched', async () => {
    await withDatabase(sources({ value: SECRET }), () => {})
    expect(refusal(sources({ value: `${SECRET}!` }))).toMatch(/the server secret in DROVER_SECRET is not the one that .*drover\.sqlite was written with/)
    expect(refusal(sources())).toMatch(/the server secret is missing: .*server\.secret is not there/)
    expect(refusal(sources({ value: 'short' }))).toMatch(/has 5 characters; it needs at least 32: make one with `openssl rand/)
    expect(refusal(sources({ value: SECRET, file: join(dir.path, 'x') }))).toMatch(/given twice/)
    expect(refusal(sources({ file: join(dir.path, 'x') }))).toMatch(/x cannot be read: ENOENT/)
  })

  it('stops the start after a crash too, while the write-ahead log holds the proof', async () => {
    const { database } = openSealedDatabase(sources({ value: SECRET }))
    expect(statSync(join(dir.path, 'drover.sqlite-wal')).size).toBeGreaterThan(0)
    const data = () => Object.entries(hashes()).filter(([name]) => !name.endsWith('-shm'))
    const before = data()
    expect(() => openSealedDatabase(sources({ value: `${SECRET}!` }))).toThrow(StoreUnusableError)
    expect(data()).toEqual(before)
    await database.close()
  })

  it('stops the start when it is there and the database is not', async () => {
    await withDatabase(sources(), () => {})
    for (const name of readdirSync(dir.path)) if (name.startsWith('drover.sqlite')) rmSync(join(dir.path, name))
    expect(refusal(sources())).toMatch(/server\.secret is there, but the database .* is not: restore it/)
  })

  it('is taken up where a crash at first start left off', async () => {
    await withDatabase(sources(), () => {})
    using database = new DatabaseSync(sources().databasePath)
    database.exec(`delete from meta where key = 'secret_check'`)
    await withDatabase(sources(), () => {})
    expect(database.prepare(`select value from meta where key = 'secret_check'`).get()).toMatchObject({ value: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })
})

describe('a sealed value', () => {
  const sealer = createSealer(SECRET)

  it('is another each time, opens for what it was sealed as, and never after a change', () => {
    const [sealed, again] = [sealer.seal('väl\nue', 'secret a@1'), sealer.seal('väl\nue', 'secret a@1')]
    expect(sealer.open(sealed, 'secret a@1')).toBe('väl\nue')
    expect(Buffer.from(sealed).equals(Buffer.from(again))).toBe(false)
    expect(() => sealer.open(sealed, 'secret a@2')).toThrow(/what is stored as secret a@2 cannot be opened with this server secret/)
    expect(() => createSealer(`${SECRET}!`).open(sealed, 'secret a@1')).toThrow(StoreUnusableError)
    for (let index = 0; index < sealed.length; index++) {
      const changed = sealed.map((byte, at) => (at === index ? byte ^ 1 : byte))
      expect(() => sealer.open(changed, 'secret a@1')).toThrow(StoreUnusableError)
    }
    expect(() => sealer.open(sealed.subarray(0, 20), 'secret a@1')).toThrow(StoreUnusableError)
  })

  it('has a proof of origin that depends on the text, the context and the secret', () => {
    const macs = [sealer.mac('a', 'x'), sealer.mac('b', 'x'), sealer.mac('a', 'y'), createSealer(`${SECRET}!`).mac('a', 'x')]
    expect(new Set(macs).size).toBe(4)
    expect(sealer.mac('a', 'x')).toBe(macs[0])
    expect(macs[0]).toMatch(/^[0-9a-f]{64}$/)
  })
})
