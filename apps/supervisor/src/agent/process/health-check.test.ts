import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ComponentHealth } from '@drover/protocol'
import { FakeClock, settle } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import type { ProcessAgentSettings } from '../../config/supervisor-config.ts'
import { HealthCheck } from './health-check.ts'

type Settings = ProcessAgentSettings['health']

function watch(settings: Settings, answers: readonly (number | 'timeout')[] = []) {
  const clock = new FakeClock()
  const said: string[] = []
  const asked: string[] = []
  let wake = Promise.withResolvers<void>()
  const note = (list: string[], what: string): void => {
    list.push(what)
    wake.resolve()
  }
  let next = 0
  const check = new HealthCheck({
    settings,
    clock,
    onHealth: ({ healthy, lastError }: ComponentHealth) => note(said, healthy ? 'well' : lastError),
    run: async (command) => {
      const answer = answers[Math.min(next++, answers.length - 1)] ?? 0
      note(asked, command.join(' '))
      return answer === 'timeout'
        ? { outcome: 'timeout', exitCode: null, stdout: '', output: '' }
        : { outcome: 'exited', exitCode: answer, stdout: '', output: answer === 0 ? '' : `error: code ${answer}` }
    },
  })
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      wake = Promise.withResolvers()
      await wake.promise
    }
    // What follows from it, such as the next wait.
    await settle()
  }
  return { check, clock, said, asked, until }
}

describe('the health of a program', () => {
  it('is that it runs, where nothing else is known', async () => {
    const { check, said, until } = watch(undefined)
    check.start(0)
    expect(said).toEqual([])
    await until(() => said.length === 1)
    expect(said).toEqual(['well'])
  })

  it('is asked by a command: often until it is well, then at the interval; only what changes is said', async () => {
    const { check, clock, said, asked, until } = watch({ kind: 'command', command: ['ctl', 'health'], intervalMs: 10_000 }, [1, 1, 0, 0, 2, 'timeout', 0])
    check.start(0)
    await until(() => asked.length === 1)
    for (const stepMs of [250, 250, 10_000, 10_000, 10_000, 10_000]) {
      const before = asked.length
      clock.advance(stepMs - 1)
      expect(asked).toHaveLength(before)
      clock.advance(1)
      await until(() => asked.length === before + 1)
    }
    await until(() => said.at(-1) === 'well')
    expect(said).toEqual([
      'the health command ended with exit code 1: code 1',
      'well',
      'the health command ended with exit code 2: code 2',
      'the health command took longer than 10 s',
      'well',
    ])
    check.stop()
    clock.advance(60_000)
    await settle()
    expect(asked).toHaveLength(7)
  })

  it('is asked over HTTP: any status below 400 will do', async () => {
    const statuses = [503, 204]
    await using server = createServer((_request, response) => {
      response.statusCode = statuses.shift() ?? 302
      response.end('x'.repeat(100_000))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo // as: a TCP server that listens has one
    const { check, clock, said, until } = watch({ kind: 'http', url: `http://127.0.0.1:${port}/health`, intervalMs: 5_000 })
    check.start(0)
    await until(() => said.length === 1)
    expect(said).toEqual(['the health check was answered with status 503'])
    clock.advance(250)
    await until(() => said.length === 2)
    expect(said[1]).toBe('well')
    check.stop()
  })

  it('is not well when nobody listens', async () => {
    const { check, said, until } = watch({ kind: 'http', url: 'http://127.0.0.1:1/', intervalMs: 5_000 })
    check.start(0)
    await until(() => said.length === 1)
    expect(said[0]).toMatch(/^the health check failed: .*ECONNREFUSED/)
    check.stop()
  })

  it('says nothing any more of what was asked before a stop or a new start', async () => {
    const { check, said, until } = watch({ kind: 'command', command: ['ctl'], intervalMs: 1_000 }, [0])
    check.start(0)
    check.start(0)
    await until(() => said.length === 1)
    check.stop()
    check.start(0)
    check.stop()
    await new Promise(setImmediate)
    expect(said).toEqual(['well'])
  })
})
