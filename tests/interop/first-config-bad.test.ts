/** The very first configuration of an agent is a bad one: there is no last good one to go back to. */
import { expect, it } from 'vitest'
import { createTemporaryFolder, startServer } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'
import { assign, attemptsOf, createConfig, isUp, untilAgent } from './agents.ts'
import { refusedByCollector } from './collector-configs.ts'
import { Supervisor, drover } from './supervisor.ts'

await describeWithPeers('a first configuration that the Collector refuses', ['supervisor', 'collector'], (peers) => {
  it('is followed by one that does nothing, so that the Collector is healthy again', async () => {
    await using server = await startServer()
    await using folder = await createTemporaryFolder()
    await createConfig(server, 'refused', refusedByCollector())
    await assign(server, 'everyone', ['refused'])
    const pasted = await drover(server, 'tokens', 'create', 'first-bad', '--for', 'supervisor')
    await using supervisor = new Supervisor({ ...peers, folder: folder.path, pasted })
    await supervisor.start()
    const failed = await server.untilEvent((event) => event.kind === 'attempt.failed', { what: 'the failure', timeoutMs: 90_000 })
    const failedAt = performance.now()
    await supervisor.untilCollectorRuns()
    console.info(`the Collector runs the baseline ${Math.round(performance.now() - failedAt)} ms after FAILED`)
    const agent = await untilAgent(server, (one) => isUp(one) && one.configState === 'restored', { what: 'healthy again' })
    expect(agent.id).toBe(failed.subject)
    expect(agent.configError).not.toBeNull()
    expect(await supervisor.effectiveFile()).toContain('nop')
    const attempts = await attemptsOf(server, agent.id)
    expect(attempts.filter(({ hash }) => hash === agent.desiredConfigHash).map(({ state }) => state)).toEqual(['rolledBack'])
  })
})
