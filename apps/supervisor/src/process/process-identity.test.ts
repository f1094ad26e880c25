import { expect, it } from 'vitest'
import { isAlive, parseStat, readProcess } from './process-identity.ts'

it('reads a line of the kernel whatever the name of the program', () => {
  const rest = 'S 10 42 42 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 7 0 123456 1 2'
  for (const name of ['(sh)', '(a) b (c)', '() 1 2 3)']) expect(parseStat(`42 ${name} ${rest}`)).toEqual({ parentPid: 10, groupId: 42, startTicks: '123456' })
})

it('takes a process that only waits to be collected for gone', () => {
  expect(parseStat('42 (sh) Z 10 42 42 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 7 0 123456 1 2')).toBeUndefined()
  expect(parseStat('')).toBeUndefined()
})

it.runIf(process.platform === 'linux')('knows this process, and another one with the same pid from another time', () => {
  const own = readProcess(process.pid)
  if (own === undefined) throw new Error('this process is not there')
  expect(own.parentPid).toBe(process.ppid)
  expect(isAlive(own)).toBe(true)
  expect(isAlive({ ...own, startTicks: '1' })).toBe(false)
  expect(isAlive({ ...own, bootId: 'another boot' })).toBe(false)
})
