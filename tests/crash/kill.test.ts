/** kill -9 while people and agents write: what was acknowledged is there after the next start, every time. */
import { Acknowledged, findMissing, writeUntilGone } from './acknowledged-writes.ts'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, systemClock, webSocketLink } from '@drover/testing'
import { createTemporaryFolder, freePort, startServer } from '../harness/index.ts'
import { integrityOf } from './integrity.ts'
import type { Server } from '../harness/index.ts'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'

/** 20 in `npm test`; 100 shows that nothing is missing over the long run. */
const runs = Number(process.env['DROVER_CRASH_RUNS'] ?? 20)
const agentCount = 10
/** Acknowledged writes after which the server dies: from the first ones to well into a stream of them. */
const fewestWrites = 3
const mostWrites = 60
const runLimitMs = 30_000
const seed = Number(process.env['DROVER_CRASH_SEED'] ?? Date.now() % 1_000_000)

const timers = new TimerQueue({ clock: systemClock })
const agents: ScriptedAgent[] = []

afterEach(() => {
  for (const agent of agents.splice(0)) agent.kill()
  timers.clear()
})

async function startAgents(server: Server, random: () => number): Promise<void> {
  const { data: token } = await server.api.createEnrolmentToken({ body: { name: 'crash' } })
  for (let index = 0; index < agentCount; index++) {
    const openLink = webSocketLink({ url: server.agentsUrl, headers: { authorization: `Bearer ${token.token}` } })
    const times = { applyMs: 50, startMs: 5, failMs: 5 }
    agents.push(new ScriptedAgent({ traits: agentTraits(index, { site: 'crash' }), openLink, timers, random, times, heartbeatMs: 500 }))
  }
  for (const agent of agents) agent.start()
}

/** Lets the writers and agents work, and kills the server right after an acknowledgement, while the next writes are under way. */
async function killWhileWriting(server: Server, acknowledged: Acknowledged, run: number, random: () => number): Promise<void> {
  let left = fewestWrites + Math.floor(random() * (mostWrites - fewestWrites))
  let killed: Promise<void> | undefined
  const onWrite = () => {
    agents[Math.floor(random() * agents.length)]?.setHealth(random() < 0.5, `run ${run}`)
    if (--left <= 0) killed ??= server.kill()
  }
  await writeUntilGone({ server, acknowledged, run, onWrite })
  await killed
}

function allConnected(server: Server): Promise<true> {
  return server.until(async (api) => ((await api.countAgents({})).data.connected === agentCount ? true : undefined), { what: `${agentCount} connected agents` })
}

it(`loses nothing, however often it is killed (${runs} times, seed ${seed})`, { timeout: runs * runLimitMs }, async () => {
  const random = createRandom(seed)
  await using folder = await createTemporaryFolder()
  const places = { dataDir: join(folder.path, 'data'), agentsListen: `127.0.0.1:${await freePort()}`, consoleListen: `127.0.0.1:${await freePort()}` }
  const acknowledged = new Acknowledged()
  let server = await startServer(places)
  try {
    await startAgents(server, random)
    await allConnected(server)
    for (let run = 0; run < runs; run++) {
      await killWhileWriting(server, acknowledged, run, random)
      server = await startServer(places)
      expect(await findMissing(server, acknowledged), `after kill ${run + 1}`).toEqual([])
    }
    await allConnected(server)
    for (const agent of agents) {
      const found = (await server.api.getAgent({ params: { agentId: agent.uid } })).data
      expect(found.instanceUid).toBe(agent.uid)
    }
    expect((await server.api.listAgents({})).data.total).toBe(agentCount)
    await expectLedgerCoversOffers(server)
    console.info(`${runs} kills, ${acknowledged.total} acknowledged writes, none missing`)
    expect(await server.stop()).toBe('exit code 0')
    expect(await integrityOf(places.dataDir)).toEqual(['ok'])
  } finally {
    await server.kill()
  }
})

it('would notice what is missing', async () => {
  await using server = await startServer()
  const acknowledged = new Acknowledged()
  const gone = Promise.withResolvers<void>()
  const writing = writeUntilGone({ server, acknowledged, run: 0, onWrite: () => (acknowledged.total >= fewestWrites * 4 ? gone.resolve() : undefined) })
  await gone.promise
  await server.kill()
  await writing
  await using other = await startServer()
  const missing = await findMissing(other, acknowledged)
  expect(missing).toEqual(expect.arrayContaining([expect.stringMatching(/^config config-0-0: \d versions/), expect.stringMatching(/^group group-0: revision/)]))
})

/** Every configuration that an agent ever got was written down before. */
async function expectLedgerCoversOffers(server: Server): Promise<void> {
  expect(agents.flatMap((agent) => agent.tally.offers).length).toBeGreaterThan(0)
  for (const agent of agents) {
    const { data } = await server.api.listAgentAttempts({ params: { agentId: agent.uid }, query: { limit: 500 } })
    const known = new Set(data.items.map(({ hash }) => hash))
    expect(agent.tally.offers.filter((hash) => !known.has(hash))).toEqual([])
  }
}
