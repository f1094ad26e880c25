/** Faults in the log: told, but not without end. */
import { expect, it } from 'vitest'
import { createFaultLog } from './fault-log.ts'

it('logs ten faults a second and counts the rest', () => {
  const lines: object[] = []
  let now = 0
  const log = createFaultLog({ error: (fields: object) => void lines.push(fields) } as never, () => now)
  for (let n = 0; n < 25; n++) log({ n }, 'failed')
  expect(lines).toHaveLength(10)
  now = 1_000
  log({ n: 25 }, 'failed')
  log({ n: 26 }, 'failed')
  expect(lines.slice(10)).toEqual([{ n: 25, suppressed: 15 }, { n: 26 }])
})
