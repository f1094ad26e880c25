/** How effective configurations get to the store without their secrets, and without holding up their agents. */
import { create } from '@bufbuild/protobuf'
import { EffectiveConfigSchema } from '@drover/protocol'
import { agentTraits } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { createBlobStore } from '../storage/blob-store.ts'
import { openTestStore } from '../storage/test-store.ts'
import { EffectiveConfigs, readMacKey } from './effective-configs.ts'
import { newAgent } from './load.ts'

const report = (body: string) => create(EffectiveConfigSchema, { configMap: { configMap: { '': { body: new TextEncoder().encode(body) } } } })

async function setUp(maxWaitingBytes?: number) {
  const test = openTestStore()
  const blobs = createBlobStore({ now: () => 0 })
  const written: unknown[] = []
  const open = async (version = '1') =>
    new EffectiveConfigs({
      store: { changed: () => {}, together: (write, item) => void written.push([write, item]) },
      blobs,
      macKey: await readMacKey(test.store, version),
      intern: (text) => text,
      now: () => 1,
      redact: (text) => text.replaceAll('known-value', '[REDACTED]'),
      log: { error: () => {} },
      ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }),
    })
  const bodies = () => written.map((each) => (each as [unknown, string])[1]) // as: pushed above
  return { test, open, bodies, record: newAgent(agentTraits(1).uid, 0) }
}

describe('an effective configuration', () => {
  it('does not hold up the report, and loses its secrets before it is handed to the store', async () => {
    const { test, open, bodies, record } = await setUp()
    await using _ = test
    const configs = await open()
    configs.take(record, report('api_key: canary\nport: 1\n'))
    expect(record.effectiveHash).toBeNull()
    await configs.settled()
    expect(record.effectiveHash).toMatch(/^[0-9a-f]{64}$/)
    expect(bodies()).toEqual([expect.stringContaining('port: 1')])
    expect(JSON.stringify(bodies())).not.toContain('canary')
  })

  it('of a busy agent is redacted as it was last', async () => {
    const { test, open, bodies, record } = await setUp()
    await using _ = test
    const configs = await open()
    for (let port = 1; port <= 5; port++) configs.take(record, report(`port: ${port}\n`))
    await configs.settled()
    expect(bodies()).toEqual([expect.stringContaining('port: 5')])
  })

  it('that is wanted now does not wait for others', async () => {
    const { test, open, bodies, record } = await setUp()
    await using _ = test
    const configs = await open()
    const others = Array.from({ length: 50 }, (_, index) => newAgent(agentTraits(index + 2).uid, 0))
    for (const other of others) configs.take(other, report(`agent: ${other.uid}\n`))
    configs.take(record, report('port: 1\n'))
    configs.redactNow(record)
    expect(bodies()).toHaveLength(1)
    await configs.settled()
    expect(bodies()).toHaveLength(51)
  })

  it('is not redacted again while it stays the same, also after a restart; another version looks again', async () => {
    const { test, open, bodies, record } = await setUp()
    await using _ = test
    for (const version of ['1', '1', '2', '2']) {
      const configs = await open(version)
      for (let time = 0; time < 3; time++) {
        configs.take(record, report('api_key: canary\n'))
        await configs.settled()
      }
    }
    expect(bodies()).toHaveLength(2)
  })

  it('is known again by a hash that says nothing without the key', async () => {
    const [one, other] = [await setUp(), await setUp()]
    await using _one = one.test
    await using _other = other.test
    for (const { open, record } of [one, other]) {
      const configs = await open()
      configs.take(record, report('api_key: canary\n'))
      await configs.settled()
    }
    expect(one.record.effectiveHash).toBe(other.record.effectiveHash)
    expect(one.record.effectiveMac).not.toBe(other.record.effectiveMac)
  })

  it('is redacted at once when too much waits, so that memory stays bounded', async () => {
    const { test, open, record } = await setUp(100)
    await using _ = test
    const configs = await open()
    configs.take(record, report(`text: ${'x '.repeat(100)}\n`))
    expect(record.effectiveHash).not.toBeNull()
  })

  it('that waits at the end is still taken along', async () => {
    const { test, open, bodies, record } = await setUp()
    await using _ = test
    const configs = await open()
    configs.take(record, report('port: 1\n'))
    await configs.stop()
    expect(bodies()).toEqual([expect.stringContaining('port: 1')])
  })
})
