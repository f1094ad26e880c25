/** kill -9 of the supervisor or of its Collector at any moment of a change: it ends with a whole configuration, and there is never a second Collector. */
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInstanceUid } from '@drover/protocol'
import { RemoteConfigStatuses } from '@drover/protocol'
import { createRandom, stubCollectorExecutable } from '@drover/testing'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { createTemporaryFolder } from '../harness/index.ts'
import { OpampPeer, describe, effectiveText } from '../interop/supervisor/opamp-peer.ts'
import type { SeenAgent } from '../interop/supervisor/opamp-peer.ts'
import { isHealthy } from '../interop/supervisor/steps.ts'
import { Subject, findCollectors, killQuietly, until } from '../interop/supervisor/subject.ts'
import { findPeers } from '../peers/index.ts'

/** 10 in `npm test`; 200 over the long run. */
const runs = Number(process.env['DROVER_CRASH_RUNS'] ?? 10)
const seed = Number(process.env['DROVER_CRASH_SEED'] ?? Date.now() % 1_000_000)
/** `real`: the Collector of the peers instead of the stub. */
const collectorKind = process.env['DROVER_CRASH_COLLECTOR'] ?? 'stub'

const runLimitMs = 60_000
const applyTimeoutMs = 1500
/** From before the offer arrives to well after it was applied. */
const longestWaitMs = applyTimeoutMs + 1500
const badShare = 0.3
const supervisorShare = 0.6
const sampleEveryMs = 20

const { RemoteConfigStatuses_APPLIED: APPLIED, RemoteConfigStatuses_FAILED: FAILED } = RemoteConfigStatuses

/** Its number stands at two places, so that half a configuration shows. */
function numbered(number: number, isBad: boolean): string {
  // neither the stub nor a real Collector binds an address of a documentation network
  const otlp = { protocols: { http: { endpoint: '203.0.113.1:4318' } } }
  return stringify({
    receivers: { [`nop/${number}`]: {}, ...(isBad ? { otlp } : {}) },
    exporters: { nop: {} },
    processors: { batch: { timeout: `${1000 + number}s` } },
    service: { pipelines: { logs: { receivers: isBad ? ['otlp'] : [`nop/${number}`], processors: ['batch'], exporters: ['nop'] } } },
  })
}

/** The number of a configuration; throws for what is none or a mixture. */
function numberIn(text: string): number | undefined {
  const config = parse(text) as { receivers?: Record<string, unknown>; processors?: { batch?: { timeout?: string } } } | null // as: written by numbered, and checked below
  const name = Object.keys(config?.receivers ?? {}).find((one) => one.startsWith('nop/'))
  const timeout = config?.processors?.batch?.timeout
  if (name === undefined && timeout === undefined) return undefined // not one of ours: what runs before the first
  const seconds = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(timeout ?? '')
  const total = Number(seconds?.[1] ?? 0) * 3600 + Number(seconds?.[2] ?? 0) * 60 + Number(seconds?.[3] ?? 0)
  const number = Number(name?.slice('nop/'.length))
  if (total !== 1000 + number) throw new Error(`a mixture of two configurations: ${name} with ${timeout}`)
  return number
}

/** What was applied last and did not fail since; undefined: nothing. */
function lastGood(agent: SeenAgent): string | undefined {
  const good: string[] = []
  for (const { hash, status } of agent.configStatuses) {
    const at = good.indexOf(hash)
    if (at >= 0) good.splice(at, 1)
    if (status === APPLIED) good.push(hash)
  }
  return good.at(-1)
}

/** Counts Collectors all the time; the most there ever were at once. */
function watchCollectors(storage: string): { most: () => number } & Disposable {
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, findCollectors(storage).length)), sampleEveryMs)
  return { most: () => most, [Symbol.dispose]: () => clearInterval(timer) }
}

/** Every file that is not a log and not being written is whole. */
async function expectWholeFiles(storage: string): Promise<void> {
  for (const entry of await readdir(storage, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(yaml|json)$/.test(entry.name)) continue
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8')
    expect(text.length, `length of ${entry.name}`).toBeGreaterThan(0)
    const value: unknown = parse(text)
    expect(typeof value, `content of ${entry.name}`).toBe('object')
    if (entry.name === 'effective.yaml') numberIn(text)
  }
}

async function findCollector(folder: string): Promise<string> {
  if (collectorKind === 'stub') return stubCollectorExecutable(folder)
  const peers = await findPeers(['collector'])
  if (typeof peers === 'string') throw new Error(peers)
  return peers.collector
}

it(`ends with the offered or the last good configuration, however it is killed (${runs} times, seed ${seed}, ${collectorKind} Collector)`, {
  timeout: (runs + 1) * runLimitMs,
}, async () => {
  const random = createRandom(seed)
  await using folder = await createTemporaryFolder()
  await using peer = await OpampPeer.start()
  const uid = createInstanceUid(Date.now(), (bytes) => bytes.forEach((_, index) => (bytes[index] = Math.floor(random() * 256))))
  const settings = { agent: { config_apply_timeout: `${applyTimeoutMs}ms` }, telemetry: { logs: { level: 'info' } } }
  const collector = await findCollector(folder.path)
  await using subject = new Subject({ kind: 'drover', stock: '', collector, folder: join(folder.path, 'supervisor'), uid, endpoint: peer.url, settings })
  using watch = watchCollectors(subject.storage)
  const numbers = new Map<string, number>()
  const tally = { applied: 0, failed: 0, untouched: 0 }

  /** At rest: healthy, a final status, and the configuration that belongs to it is reported and on disk. */
  const isAtRest = async (): Promise<boolean> => {
    const agent = peer.agent(uid)
    const last = agent.configStatuses.at(-1)
    if (!isHealthy(agent) || last === undefined || (last.status !== APPLIED && last.status !== FAILED)) return false
    const wanted = numbers.get((last.status === APPLIED ? last.hash : lastGood(agent)) ?? '')
    const onDisk = numberIn(await subject.fileInStorage('effective.yaml'))
    return numberIn(effectiveText(agent)) === wanted && onDisk === wanted && subject.collectors().length === 1
  }
  const untilAtRest = async (what: string) => {
    try {
      await until(isAtRest, what)
    } catch (error) {
      const state = `${describe(peer.agent(uid))}, statuses ${JSON.stringify(
        peer
          .agent(uid)
          .configStatuses.slice(-4)
          .map((one) => [numbers.get(one.hash), one.status]),
      )}`
      throw new Error(`${state}\non disk: ${numberIn(await subject.fileInStorage('effective.yaml'))}, reported: ${numberIn(effectiveText(peer.agent(uid)))}`, {
        cause: error,
      })
    }
  }

  await subject.start()
  await peer.until(uid, (agent) => isHealthy(agent), { what: 'healthy' })
  numbers.set(peer.offerConfig(uid, { 'config.yaml': numbered(0, false) }), 0)
  await untilAtRest('the first configuration')

  for (let run = 1; run <= runs; run++) {
    const [isBad, killsSupervisor, waitMs] = [random() < badShare, random() < supervisorShare, Math.floor(random() * longestWaitMs)]
    const what = `kill ${run}: ${killsSupervisor ? 'the supervisor' : 'the Collector'} ${waitMs} ms after ${isBad ? 'a bad' : 'a good'} offer`
    const hash = peer.offerConfig(uid, { 'config.yaml': numbered(run, isBad) })
    numbers.set(hash, run)
    await delay(waitMs) // the moment is what this test is about
    if (killsSupervisor) {
      const connects = peer.agent(uid).connects
      await subject.killAlone()
      await expectWholeFiles(subject.storage)
      await subject.start()
      await peer.until(uid, (agent) => agent.connects > connects, { what: `back after ${what}` })
    } else for (const pid of subject.collectors()) killQuietly(pid)
    await untilAtRest(what)
    const final = peer.agent(uid).configStatuses.at(-1)
    if (final?.hash !== hash) tally.untouched += 1
    else if (final.status === APPLIED) tally.applied += 1
    else tally.failed += 1
    expect(watch.most(), `Collectors at once after ${what}`).toBe(1)
    if (isBad && final?.hash === hash) expect(final.status, `status after ${what}`).toBe(FAILED)
  }
  console.info(
    `${runs} kills: ${tally.applied} ended with the offered configuration, ${tally.failed} with the last good one, ${tally.untouched} before the offer was known`,
  )
  await subject.stop()
  expect(subject.collectors()).toEqual([])
})
