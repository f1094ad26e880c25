import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stateFileNames } from '../state/state-folder.ts'
import { createWorld, encodedOffer, offerOf } from './test-world.ts'
import { offeredConfig } from '../state/offered-config.ts'

const applyTimeoutMs = 5000

describe('an offered configuration', () => {
  it('is applying while it is watched, and applied when the agent is healthy after the whole timeout [RC-20] [RC-18]', async () => {
    const world = await createWorld()
    await world.pass(100)
    expect(world.running()).toBe('local')
    await world.offer('a')
    expect(world.running()).toBe('a')
    expect(world.statuses).toEqual(['a applying'])
    await world.pass(applyTimeoutMs - 1)
    expect(world.statuses).toEqual(['a applying'])
    await world.pass(1)
    expect(world.statuses).toEqual(['a applying', 'a applied'])
    expect(await world.disk.read(stateFileNames.working)).toEqual(encodedOffer('a'))
  })

  it('fails before anything is touched when it cannot be put together [RC-21]', async () => {
    const world = await createWorld()
    await world.pass(100)
    await world.offer('a', 'unparsable')
    expect(world.statuses).toEqual(['a failed: a.yaml:1: not YAML'])
    expect(world.agent.ran).toHaveLength(1)
  })

  it('fails before anything is touched when the program refuses it, with what it said', async () => {
    const world = await createWorld()
    await world.pass(100)
    await world.offer('a', 'invalid')
    expect(world.statuses).toEqual(['a failed: the agent refuses it\nline 1\nline 2'])
    expect(world.agent.ran).toHaveLength(1)
    expect(world.running()).toBe('local')
  })

  it('fails when the process crashes while it is watched, and the last good one runs at once', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'crashes')
    await world.pass(10)
    expect(world.statuses.slice(2)).toEqual(['b applying', 'b failed: the agent ended with exit code 1\npanic: oh no'])
    expect(world.running()).toBe('a')
    expect(await world.disk.read(stateFileNames.received)).toEqual(encodedOffer('a'))
  })

  it('fails when the process cannot be started, and the last good one runs at once', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'unstartable')
    expect(world.statuses.at(-1)).toBe('b failed: the agent could not be started: no such file')
    expect(world.running()).toBe('a')
  })

  it('fails when the agent is not healthy at the end, with what it complained of', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'sick')
    await world.pass(applyTimeoutMs)
    expect(world.statuses.at(-1)).toBe('b failed: the agent was not healthy 5 s after it got the configuration; it says: the port is taken')
    expect(world.running()).toBe('a')
  })

  it('is judged by the health at the end, not by an unhealthy moment on the way', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(100)
    world.agent.sayHealth(false, 'a moment')
    await world.pass(1000)
    world.agent.sayHealth(true)
    await world.pass(applyTimeoutMs)
    expect(world.statuses.at(-1)).toBe('a applied')
  })

  it('leads back to local files alone when none was ever good', async () => {
    const world = await createWorld()
    await world.offer('a', 'crashes')
    await world.pass(10)
    expect(world.statuses.at(-1)).toMatch(/^a failed/)
    expect(world.running()).toBe('local')
    expect(await world.disk.read(stateFileNames.received)).toBeUndefined()
  })

  it('is applied at once when it runs already and is healthy', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    const ran = world.agent.ran.length
    await world.offer('a')
    expect(world.statuses.at(-1)).toBe('a applied')
    expect(world.agent.ran).toHaveLength(ran)
  })

  it('stops the agent when it is empty, which is applied and healthy', async () => {
    const world = await createWorld()
    await world.pass(100)
    await world.offer('a', 'nothing')
    expect(world.running()).toBe('none')
    expect(world.statuses).toEqual(['a applying', 'a applied'])
    expect(world.health).toEqual(['healthy'])
    await world.offer('b')
    expect(world.running()).toBe('b')
  })

  it('runs also when its hash is empty', async () => {
    const world = await createWorld()
    world.driver.offer({ ...offeredConfig(offerOf('a')), hash: '' })
    await world.pass(applyTimeoutMs)
    expect(world.running()).toBe('a')
    expect(world.driver.state.good.remote?.files).toHaveLength(1)
  })

  it('fails when it cannot be stored, and the running one is untouched', async () => {
    const world = await createWorld()
    await world.pass(100)
    world.disk.failure = new Error('ENOSPC')
    await world.offer('a')
    expect(world.statuses).toEqual(['a failed: the configuration could not be stored: ENOSPC'])
    expect(world.running()).toBe('local')
    expect(world.agent.ran).toHaveLength(1)
  })
})

describe('a newer offer', () => {
  it('takes the place of one that is being checked', async () => {
    const world = await createWorld()
    await world.pass(100)
    const gate = Promise.withResolvers<void>()
    world.agent.gate = gate.promise
    world.driver.offer(offeredConfig(offerOf('a')))
    await world.clock.advanceAsync(10)
    expect(world.driver.state.phase.kind).toBe('validating')
    world.driver.offer(offeredConfig(offerOf('b')))
    world.agent.gate = undefined
    gate.resolve()
    await world.pass(applyTimeoutMs)
    expect(world.statuses).toEqual(['b applying', 'b applied'])
    expect(world.agent.ran.some((text) => text.includes('a good'))).toBe(false)
  })

  it('takes the place of one that is being watched, which gets no verdict', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(1000)
    await world.offer('b')
    await world.pass(applyTimeoutMs)
    expect(world.statuses).toEqual(['a applying', 'b applying', 'b applied'])
    expect(world.running()).toBe('b')
  })

  it('that fails leads back to the last good one, not to the unproven one it replaced', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b')
    await world.pass(1000)
    await world.offer('c', 'invalid')
    expect(world.statuses.at(-1)).toMatch(/^c failed/)
    expect(world.running()).toBe('a')
  })

  it('of the same configuration while it is tried changes nothing', async () => {
    const world = await createWorld()
    await world.offer('a')
    const ran = world.agent.ran.length
    await world.offer('a')
    expect(world.statuses).toEqual(['a applying', 'a applying'])
    expect(world.agent.ran).toHaveLength(ran)
    await world.pass(applyTimeoutMs)
    expect(world.statuses.at(-1)).toBe('a applied')
  })

  it('of the last good one while it comes back is applied with its first healthy word', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'crashes')
    await world.pass(10)
    const ran = world.agent.ran.length
    await world.offer('a')
    expect(world.statuses.at(-1)).toMatch(/^b failed/)
    await world.pass(40)
    expect(world.statuses.at(-1)).toBe('a applied')
    expect(world.agent.ran).toHaveLength(ran)
  })
})

describe('a configuration that is no text', () => {
  it('is FAILED with the name of the file, rather than run as something near to it', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'garbled')
    expect(world.statuses.at(-1)).toBe('b failed: the configuration file "a.yaml" is not UTF-8 text')
    expect(world.agent.validations.filter((text) => text.includes('b '))).toEqual([])
    expect(world.running()).toBe('a')
  })
})

describe('a configuration that failed', () => {
  const failed = async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'invalid')
    return world
  }

  it('is answered from memory when it is offered again at once', async () => {
    const world = await failed()
    const checked = world.agent.validations.length
    await world.offer('b', 'invalid')
    expect(world.statuses.at(-1)).toMatch(/^b failed: not tried again so soon after it failed\. It failed like this: the agent refuses it/)
    expect(world.agent.validations).toHaveLength(checked)
  })

  it('is tried again when it is offered later, as a person does who retries', async () => {
    const world = await failed()
    await world.pass(10_000)
    await world.offer('b', 'good')
    await world.pass(applyTimeoutMs)
    expect(world.statuses.at(-1)).toBe('b applied')
  })

  it('is tried again each time that a person retries, also one who was impatient once', async () => {
    const world = await failed()
    await world.pass(5_000)
    await world.offer('b', 'invalid')
    const checked = world.agent.validations.length
    for (let retry = 1; retry <= 3; retry++) {
      await world.pass(11_000)
      await world.offer('b', 'invalid')
      expect(world.agent.validations).toHaveLength(checked + retry)
    }
  })

  it('is tried less and less often for a server that offers it again whenever it hears FAILED', async () => {
    const world = await failed()
    const checked = world.agent.validations.length
    for (let second = 0; second < 7_200; second++) {
      await world.offer('b', 'invalid')
      await world.pass(1_000)
    }
    expect(world.agent.validations.length - checked).toBeLessThanOrEqual(5)
  })

  it('is tried again at once when another offer was answered in between', async () => {
    const world = await failed()
    await world.offer('a')
    expect(world.statuses.at(-1)).toBe('a applied')
    const checked = world.agent.validations.length
    await world.offer('b', 'invalid')
    expect(world.agent.validations).toHaveLength(checked + 1)
  })

  it('is tried less and less often for a server that keeps offering it', async () => {
    const world = await failed()
    const checked = world.agent.validations.length
    for (let minute = 0; minute < 120; minute++) {
      await world.pass(30_000)
      await world.offer('b', 'invalid')
      await world.pass(30_000)
      await world.offer('b', 'invalid')
    }
    expect(world.agent.validations.length - checked).toBeLessThanOrEqual(7)
    expect(world.agent.ran.filter((text) => text.includes('b '))).toHaveLength(0)
  })

  it('is remembered by the next process', async () => {
    const world = await failed()
    const next = await createWorld({ disk: world.disk })
    await next.offer('b', 'invalid')
    expect(next.agent.validations).toHaveLength(0)
    expect(next.statuses).toEqual(['b failed: not tried again so soon after it failed. It failed like this: the agent refuses it\nline 1\nline 2'])
  })
})

describe('an applied configuration in its grace', () => {
  it('that crashes soon after it was applied is failed after all, and the one before runs at once', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs + 600_000)
    await world.offer('b', 'crashes-after-6')
    await world.pass(applyTimeoutMs)
    expect(world.statuses.at(-1)).toBe('b applied')
    await world.pass(1000)
    expect(world.statuses.at(-1)).toBe('b failed: the agent ended with exit code 2, soon after the configuration was applied\npanic: oh no')
    expect(world.running()).toBe('a')
    expect(await world.disk.read(stateFileNames.working)).toEqual(encodedOffer('a'))
    expect(await world.disk.read(stateFileNames.received)).toEqual(encodedOffer('a'))
    expect(await world.disk.read(stateFileNames.previous)).toBeUndefined()
  })

  it('that is killed from outside twice within ten minutes, as one that eats memory is, is failed after all', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'killed-after-20')
    await world.pass(20_000)
    expect(world.running()).toBe('none')
    expect(world.statuses.at(-1)).toBe('b applied')
    await world.pass(250)
    expect(world.running()).toBe('b')
    await world.pass(20_000)
    expect(world.statuses.at(-1)).toMatch(/^b failed: the agent was ended by SIGKILL, 2 times since the configuration was applied/)
    expect(world.running()).toBe('a')
  })

  it('that ends by itself after the first minute has one more chance', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b', 'crashes-after-100')
    await world.pass(100_000 + 250)
    expect(world.running()).toBe('b')
    await world.pass(100_000)
    expect(world.running()).toBe('a')
  })

  it('that was replaced in its grace and comes back is still in it', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs + 600_000)
    await world.offer('b', 'killed-after-20')
    await world.pass(applyTimeoutMs)
    await world.offer('c', 'crashes-after-6')
    await world.pass(6000)
    expect(world.running()).toBe('b')
    await world.pass(41_000)
    expect(world.running()).toBe('a')
  })

  it('is good for ever after ten minutes: a crash is followed by a restart', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b')
    await world.pass(applyTimeoutMs + 600_000)
    expect(await world.disk.read(stateFileNames.previous)).toBeUndefined()
    for (let crash = 0; crash < 5; crash++) {
      world.agent.crash()
      await world.pass(60_000)
    }
    expect(world.statuses.at(-1)).toBe('b applied')
    expect(world.running()).toBe('b')
  })

  it('keeps its way back over a restart of the supervisor', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b')
    await world.pass(applyTimeoutMs)
    const next = await createWorld({ disk: world.disk })
    expect(next.running()).toBe('b')
    await next.pass(10)
    next.agent.crash()
    await next.pass(1)
    expect(next.statuses.at(-1)).toMatch(/^b failed/)
    expect(next.running()).toBe('a')
  })

  it('is not blamed for being unhealthy', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    await world.offer('b')
    await world.pass(applyTimeoutMs)
    world.agent.sayHealth(false, 'the backend is down')
    await world.pass(300_000)
    expect(world.running()).toBe('b')
    expect(world.statuses.at(-1)).toBe('b applied')
  })
})

describe('a good agent', () => {
  it('that crashes is started again, quickly at first and then more slowly, and says so [HL-02]', async () => {
    const world = await createWorld()
    await world.pass(100)
    world.agent.crash()
    expect(world.health).toEqual(['unhealthy: the agent ended with exit code 1\npanic: oh no'])
    await world.pass(250)
    expect(world.running()).toBe('local')
    world.agent.crash()
    await world.pass(250)
    expect(world.running()).toBe('none')
    await world.pass(750)
    expect(world.running()).toBe('local')
  })

  it('is started from the beginning on a restart command', async () => {
    const world = await createWorld()
    await world.pass(100)
    world.driver.restartAgent()
    await world.driver.whenIdle()
    expect(world.agent.ran).toHaveLength(2)
    expect(world.running()).toBe('local')
  })

  it('gets its new instance uid', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    const other = await createWorld()
    world.driver.setInstanceUid(other.folder.found.instanceUid)
    await world.driver.whenIdle()
    expect(world.agent.running?.text).toContain(other.folder.found.instanceUid)
    expect(world.running()).toBe('a')
  })

  it('gets its new instance uid in the middle of a change, which goes on', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(1000)
    const other = await createWorld()
    world.driver.setInstanceUid(other.folder.found.instanceUid)
    await world.pass(applyTimeoutMs)
    expect(world.agent.running?.text).toContain(other.folder.found.instanceUid)
    expect(world.statuses.at(-1)).toBe('a applied')
  })

  it('is stopped with the supervisor, and nothing waits any more', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.driver.stop()
    expect(world.running()).toBe('none')
    await world.pass(60_000)
    expect(world.running()).toBe('none')
    expect(world.clock.pending).toBe(0)
  })
})

describe('own telemetry', () => {
  const metricsTo = (endpoint: string) => ({ metrics: { endpoint, headers: [] } })

  it('reaches the agent by a restart, and settles when the agent is well with it', async () => {
    const world = await createWorld()
    await world.pass(100)
    const settled = world.driver.setOwnTelemetry(metricsTo('http://x/v1/metrics'))
    await world.pass(applyTimeoutMs)
    await settled
    expect(world.agent.running?.text).toContain('telemetry http://x/v1/metrics')
    expect(await world.disk.read(stateFileNames.ownTelemetry)).toBeDefined()
    expect(world.statuses).toEqual([])
  })

  it('that changes nothing does not shorten the watch of a configuration', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(1000)
    const settled = world.driver.setOwnTelemetry(undefined)
    await world.pass(4000)
    expect(world.statuses.at(-1)).toBe('a applying')
    await world.pass(1000)
    await settled
    expect(world.statuses.at(-1)).toBe('a applied')
  })

  it('goes back to what it was when the agent does not bear it', async () => {
    const world = await createWorld()
    await world.pass(100)
    const settled = world.driver.setOwnTelemetry(metricsTo('http://sick/v1/metrics'))
    const outcome = settled.catch((error: Error) => error.message)
    await world.pass(applyTimeoutMs)
    expect(await outcome).toContain('the agent was not healthy')
    expect(world.agent.running?.text).toContain('telemetry off')
    expect(await world.disk.read(stateFileNames.ownTelemetry)).toBeUndefined()
  })

  it('that the agent does not bear says nothing against the good configuration that is offered with it', async () => {
    const world = await createWorld()
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    const settled = world.driver.setOwnTelemetry(metricsTo('http://sick/v1/metrics'))
    const outcome = settled.catch((error: Error) => error.message)
    await world.offer('a')
    await world.pass(applyTimeoutMs)
    expect(await outcome).toContain('the agent was not healthy')
    expect(world.statuses.at(-1)).toBe('a applied')
    expect(world.agent.running?.text).toContain('telemetry off')
  })

  it('is tried together with an offer that comes with it, and by itself when that fails', async () => {
    const world = await createWorld()
    await world.pass(100)
    const settled = world.driver.setOwnTelemetry(metricsTo('http://x/v1/metrics'))
    await world.offer('a', 'crashes')
    await world.pass(10)
    expect(world.statuses.at(-1)).toMatch(/^a failed/)
    await world.pass(100 + applyTimeoutMs)
    await settled
    expect(world.running()).toBe('local')
    expect(world.agent.running?.text).toContain('telemetry http://x/v1/metrics')
  })
})

describe('a first start without a server', () => {
  const withFallback = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fallback-'))
    const path = join(folder, 'fallback.yaml')
    await writeFile(path, 'receivers: {}')
    return { world: await createWorld({ fallbackPaths: [path] }), remove: () => rm(folder, { recursive: true }) }
  }

  it('runs the fallback configuration when the server cannot be reached, and the usual one with the first connection', async () => {
    const { world, remove } = await withFallback()
    expect(world.running()).toBe('none')
    world.driver.hearOfServer(false)
    await world.driver.whenIdle()
    await new Promise(setImmediate)
    await world.driver.whenIdle()
    expect(world.running()).toBe('fallback')
    world.driver.hearOfServer(true)
    await world.driver.whenIdle()
    expect(world.running()).toBe('local')
    world.driver.hearOfServer(false)
    await world.pass(60_000)
    expect(world.running()).toBe('local')
    await remove()
  })

  it('does not run it at all when the server answers', async () => {
    const { world, remove } = await withFallback()
    world.driver.hearOfServer(true)
    await world.pass(60_000)
    expect(world.agent.ran).toHaveLength(1)
    expect(world.running()).toBe('local')
    await remove()
  })

  it('is not one when something was applied before', async () => {
    const before = await createWorld()
    await before.offer('a')
    await before.pass(applyTimeoutMs)
    const world = await createWorld({ disk: before.disk, fallbackPaths: ['/nowhere'] })
    expect(world.running()).toBe('a')
  })
})

it('keeps to local files when remote configuration is not accepted, and leaves what is on disk alone', async () => {
  const before = await createWorld()
  await before.offer('a')
  await before.pass(applyTimeoutMs)
  const world = await createWorld({ disk: before.disk, acceptsRemoteConfig: false })
  expect(world.running()).toBe('local')
  expect(await world.disk.read(stateFileNames.received)).toEqual(encodedOffer('a'))
})

it('gives up on a configuration during which the supervisor ended twice', async () => {
  const first = await createWorld()
  await first.offer('good')
  await first.pass(applyTimeoutMs)
  await first.offer('a')
  // Killed: nothing is said, nothing is stopped.
  const second = await createWorld({ disk: first.disk })
  await second.pass(100)
  expect(second.running()).toBe('a')
  const third = await createWorld({ disk: second.disk })
  await third.pass(100)
  expect(third.running()).toBe('good')
  expect(third.statuses).toEqual(['a failed: the supervisor ended 2 times while this configuration was being applied'])
})

it('goes back to the last good one when an unproven one crashes while its successor is being checked', async () => {
  const world = await createWorld()
  await world.offer('a')
  await world.pass(applyTimeoutMs)
  await world.offer('b')
  await world.pass(1000)
  const gate = Promise.withResolvers<void>()
  world.agent.gate = gate.promise
  world.driver.offer(offeredConfig(offerOf('c', 'invalid')))
  await world.clock.advanceAsync(10)
  world.agent.crash()
  await world.clock.advanceAsync(300)
  gate.resolve()
  await world.driver.whenIdle()
  expect(world.agent.ran.map((text) => text.split('\n')[2]?.split(' ')[0])).toEqual([undefined, 'a', 'b', 'a'])
})
