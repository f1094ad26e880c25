import { systemClock } from '@drover/server'
import { expect, it } from 'vitest'
import { runCommand } from './run-command.ts'
import type { CommandOptions } from './run-command.ts'

const sh = (script: string, more: Partial<CommandOptions> = {}) =>
  runCommand({ command: '/bin/sh', args: ['-c', script], env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 10_000, clock: systemClock, ...more })

it('gives what the command wrote, and its exit code', async () => {
  expect(await sh('echo out; sleep 0.01; echo err >&2; exit 4')).toEqual({ outcome: 'exited', exitCode: 4, stdout: 'out\n', output: 'out\nerr\n' })
})

it('ends it when it takes too long, with what it started', async () => {
  expect(await sh('trap "" TERM; sleep 1000 & echo started; wait', { timeoutMs: 100 })).toMatchObject({
    outcome: 'timeout',
    exitCode: null,
    stdout: 'started\n',
  })
})

it('ends it when nobody wants to know any longer', async () => {
  const controller = new AbortController()
  const result = sh('sleep 1000', { signal: controller.signal })
  setImmediate(() => controller.abort())
  expect(await result).toMatchObject({ outcome: 'aborted', exitCode: null })
  expect(await sh('echo never', { signal: controller.signal })).toMatchObject({ outcome: 'aborted', stdout: '' })
})

it('keeps a bounded part of the output, and lets the command write on', async () => {
  const { output, exitCode } = await sh('head -c 3000000 /dev/zero | tr "\\0" x; exit 5')
  expect([output.length, exitCode]).toEqual([512 * 1024, 5])
})

it('says what the system says when there is no such command', async () => {
  await expect(sh('', { command: '/no/such/command' })).rejects.toMatchObject({ code: 'ENOENT' })
})
