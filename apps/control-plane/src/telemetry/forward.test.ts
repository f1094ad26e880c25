/** Copies to another backend: order, retries, what is dropped. */
import { afterEach, describe, expect, it } from 'vitest'
import { createForward } from './forward.ts'
import type { Forward, Post } from './forward.ts'

type Request = Parameters<Post>[0]
let forward: Forward
afterEach(() => forward[Symbol.asyncDispose]())

/** Answers each request with the next of `answers`, then with 200; `until` waits for a number of outcomes. */
function start(answers: readonly (number | Error)[], maxBytes = 1_000) {
  const requests: Request[] = []
  const outcomes: string[] = []
  const warnings: unknown[] = []
  let wake = () => {}
  const left = [...answers]
  forward = createForward({
    url: 'https://backend.example/otlp/',
    headers: { authorization: 'Bearer b' },
    post: async (request) => {
      requests.push(request)
      const answer = left.shift() ?? 200
      if (typeof answer !== 'number') throw answer
      return { status: answer }
    },
    count: (outcome) => {
      outcomes.push(outcome)
      wake()
    },
    log: { warn: ((fields: unknown) => void warnings.push(fields)) as never },
    maxBytes,
    firstRetryMs: 1,
  })
  const until = async (count: number) => {
    while (outcomes.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return outcomes
  }
  return { requests, outcomes, warnings, until }
}

const body = (text: string) => Buffer.from(text)

describe('a copy', () => {
  it('goes out as it came, to the path of its signal, in order', async () => {
    const { requests, until } = start([])
    forward.push('metrics', body('one'), 'protobuf')
    forward.push('logs', body('two'), 'json')
    expect(await until(2)).toEqual(['sent', 'sent'])
    expect(requests.map(({ url, headers, body: sent }) => [url, headers['content-type'], headers['authorization'], Buffer.from(sent).toString()])).toEqual([
      ['https://backend.example/otlp/v1/metrics', 'application/x-protobuf', 'Bearer b', 'one'],
      ['https://backend.example/otlp/v1/logs', 'application/json', 'Bearer b', 'two'],
    ])
  })

  it('is tried again when that may help, and told once', async () => {
    const { requests, warnings, until } = start([new Error('refused'), 503, 429])
    forward.push('metrics', body('one'), 'protobuf')
    expect(await until(1)).toEqual(['sent'])
    expect([requests.length, warnings.length]).toEqual([4, 1])
  })

  it('is given up when the backend does not want it', async () => {
    const { requests, until } = start([400, 401])
    forward.push('metrics', body('one'), 'protobuf')
    forward.push('metrics', body('two'), 'protobuf')
    forward.push('metrics', body('three'), 'protobuf')
    expect(await until(3)).toEqual(['refused', 'refused', 'sent'])
    expect(requests).toHaveLength(3)
  })

  it('is dropped when too much waits, and room comes back', async () => {
    const { until } = start([], 10)
    forward.push('metrics', body('12345678'), 'protobuf')
    forward.push('metrics', body('123'), 'protobuf')
    expect(await until(2)).toEqual(['dropped', 'sent'])
    forward.push('metrics', body('123'), 'protobuf')
    expect(await until(3)).toEqual(['dropped', 'sent', 'sent'])
  })

  it('that waits when the server stops is dropped', async () => {
    const { outcomes } = start(Array.from({ length: 100 }, () => 503))
    forward.push('metrics', body('one'), 'protobuf')
    await forward[Symbol.asyncDispose]()
    forward.push('metrics', body('two'), 'protobuf')
    expect(outcomes).toEqual(['dropped', 'dropped'])
  })
})
