/** Our server against opamp-go's client: who is turned away, how, and that it comes back. */
import { expect, it } from 'vitest'
import { describeWithPeers } from '../peers/index.ts'
import { effectiveConfig, startOf, transports } from './agent-values.ts'
import { GoClient } from './go-client.ts'
import { startRecordingServer } from './recording-server.ts'

const oneSecond = { retryAfterMinSeconds: 1, retryAfterMaxSeconds: 1 }

await describeWithPeers("opamp-go's client is turned away", ['opamp-client'], (peers) => {
  const goClient = () => new GoClient(peers['opamp-client'])

  it.each(transports)('with 401 when its token is wrong, and heard when it is right, over %s [AU-01] [AU-02] [AU-03]', async (transport) => {
    await using server = await startRecordingServer()
    server.admit = (request) =>
      request.headers['authorization'] === 'Bearer right' ? { kind: 'accept', principal: 'token' } : { kind: 'reject', status: 401, message: 'wrong token' }
    await using stranger = goClient()
    await stranger.start(startOf(server, transport, { headers: { Authorization: 'Bearer wrong' } }))
    await stranger.until((event) => event.text?.includes('401') === true, '401')
    expect(stranger.answers).toBe(0)
    await using client = goClient()
    await client.start(startOf(server, transport, { headers: { Authorization: 'Bearer right' } }))
    await client.until((event) => event.event === 'message', 'answer')
    expect(server.reports.map((report) => report.connection.principal)).toEqual(['token'])
  })

  it.each(transports)('with 503 and Retry-After, which it honours, over %s [TH-06] [TH-07]', async (transport) => {
    await using server = await startRecordingServer()
    const at: number[] = []
    server.admit = () => {
      at.push(performance.now())
      return at.length === 1 ? { kind: 'reject', status: 503, message: 'starting', retryAfterSeconds: 2 } : { kind: 'accept', principal: 'test' }
    }
    await using client = goClient()
    await client.start(startOf(server, transport))
    await client.until((event) => event.event === 'message', 'answer')
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1990) // its own first retry would come within 750 ms
    expect(server.reports[0]?.complete).toBe(true)
  })

  it('over plain HTTP it repeats a report that could not be stored, so nothing is lost [TH-06] [TH-07] [RT-05]', async () => {
    await using server = await startRecordingServer({ limits: oneSecond })
    let failures = 0
    server.answer = () => {
      if (++failures === 1) throw new Error('the disk is full')
      return undefined
    }
    await using client = goClient()
    await client.start(startOf(server, 'http'))
    await client.until((event) => event.event === 'message', 'answer')
    expect(server.exchanges[0]).toMatchObject({ status: 503, responseHeaders: { 'retry-after': 1 } })
    expect(server.reports).toHaveLength(2)
    expect(server.reports[1]?.present).toContain('agentDescription')
  })

  it('over a WebSocket it is told UNAVAILABLE with the time to wait, and later asked for what could not be stored [TH-01] [TH-03] [ERR-01] [ERR-09]', async () => {
    await using server = await startRecordingServer({ limits: oneSecond })
    let failures = 0
    server.answer = () => {
      if (++failures === 1) throw new Error('the disk is full')
      return undefined
    }
    await using client = goClient()
    await client.start(startOf(server, 'websocket'))
    const { response } = await client.until((event) => event.event === 'error', 'error')
    expect(response?.type).toBe('ServerErrorResponseType_Unavailable')
    expect(Number(response?.retryInfo?.retryAfterNanoseconds)).toBe(1_000_000_000)
    expect(response?.errorMessage ?? '').not.toContain('disk')
    await server.untilReport((report) => report !== server.reports[0] && report.complete && report.present.includes('agentDescription'), 'the full state')
  })

  it('over a WebSocket with close code 1009 when a message is too large [S-WS-10] [S-WS-11] [S-WS-12]', async () => {
    await using server = await startRecordingServer({ limits: { maxMessageBytes: 64 * 1024 } })
    await using client = goClient()
    await client.start(startOf(server, 'websocket'))
    await client.until((event) => event.event === 'message', 'answer')
    await client.setEffectiveConfig(effectiveConfig('x'.repeat(100_000)))
    await client.until((event) => event.text?.includes('1009') === true, 'close code 1009')
    expect(server.refusals).toContain('too-large')
    expect(server.reports.filter(({ message }) => (message.effectiveConfig?.configMap?.configMap['']?.body.length ?? 0) > 64 * 1024)).toEqual([])
  })

  it.each([{ compression: true as const }, {}])(
    'over plain HTTP with 413 when a message is too large, also once unpacked: %o [S-HTTP-21] [S-HTTP-22]',
    async (how) => {
      await using server = await startRecordingServer({ limits: { maxMessageBytes: 64 * 1024 } })
      await using client = goClient()
      await client.start(startOf(server, 'http', how))
      await client.until((event) => event.event === 'message', 'answer')
      await client.setEffectiveConfig(effectiveConfig('x'.repeat(100_000)))
      await client.until((event) => event.text?.includes('413') === true, '413')
      expect(server.refusals).toContain('too-large')
    },
  )

  it('when the server stops, by a close frame, and comes back to the next one [CN-07]', async () => {
    const first = await startRecordingServer()
    await using client = goClient()
    const start = startOf(first, 'websocket')
    await client.start(start)
    await client.until((event) => event.event === 'message', 'answer')
    const { port } = first
    await first.opamp.drain(0)
    await client.until((event) => /1012|1001|close (sent|received)|websocket: close/.test(event.text ?? ''), 'close frame')
    await first[Symbol.asyncDispose]()
    await using second = await startRecordingServer({ port })
    expect((await second.untilReport((report) => report.complete, 'the full state')).uid).toBe(start.uid)
  })
})
