import { describe, expect, it } from 'vitest'
import { readProcess } from './process-identity.ts'
import { startProcess } from './running-process.ts'
import { parent, polite, shell, staying, stubborn, untilGone } from './test-programs.ts'

describe('a running process', () => {
  it('tells how it ended, after all it wrote was read', async () => {
    const { options, text } = shell('echo out; echo err >&2; exit 7')
    const running = await startProcess(options)
    expect(await running.ended).toMatchObject({ exitCode: 7, signal: null, ranForMs: expect.any(Number) as number })
    await running.drained
    expect(text().split('\n').toSorted()).toEqual(['', 'err', 'out'])
    expect([running.isRunning, running.signal('SIGTERM')]).toEqual([false, false])
  })

  it('is asked to end, and may end in good order', async () => {
    const { options, until, text } = shell(polite)
    const running = await startProcess(options)
    await until(/ready/)
    expect(await running.stop()).toMatchObject({ exitCode: 3, signal: null })
    await running.drained
    expect(text()).toContain('bye')
  })

  it('is killed when it does not end in time', async () => {
    const { options, until } = shell(stubborn, { stopTimeoutMs: 50 })
    const running = await startProcess(options)
    await until(/ready/)
    const [end, same] = await Promise.all([running.stop(), running.stop()])
    expect(end).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect(same).toBe(end)
  })

  it('leaves nothing of its group, however it ends', async () => {
    const { options, until } = shell(parent)
    const running = await startProcess(options)
    const child = Number((await until(/child (\d+)\n/))[1])
    await until(/ready/)
    process.kill(running.pid, 'SIGKILL')
    expect(await running.ended).toMatchObject({ signal: 'SIGKILL' })
    await untilGone(child)
    expect(readProcess(child)).toBeUndefined()
  })

  it('does not wait for ever for output of a process that left its group', async () => {
    const { options, until } = shell('setsid sleep 1000 & echo child $!; echo ready')
    const running = await startProcess(options)
    const child = Number((await until(/child (\d+)\n/))[1])
    await running.ended
    await running.drained
    process.kill(child, 'SIGKILL')
  })

  it('says what the system says when there is no such program', async () => {
    await expect(startProcess({ ...shell('').options, command: '/no/such/program' })).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(startProcess({ ...shell('').options, command: '/etc/passwd' })).rejects.toMatchObject({ code: 'EACCES' })
  })

  it('never waits for a reader: a megabyte of output does not stop it', async () => {
    const { options, text } = shell('head -c 1000000 /dev/zero | tr "\\0" x; echo; echo done')
    const running = await startProcess(options)
    await running.ended
    await running.drained
    expect(text().length).toBe(1_000_006)
  })

  it('gets signals', async () => {
    const { options, until } = shell(`trap 'echo hup' HUP; ${staying.replace('sleep 1', 'sleep 0.02')}`)
    const running = await startProcess(options)
    await until(/ready/)
    expect(running.signal('SIGHUP')).toBe(true)
    await until(/hup/)
    await running.kill()
  })
})
