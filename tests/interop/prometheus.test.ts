/** The PromQL gate asks Debian's real Prometheus, which scrapes numbers that the test sets. */
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { createJudge, createOutgoing, parseAllowedTargets } from '@drover/control-plane'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Child, createTemporaryFolder, freePort } from '../harness/index.ts'
import type { TemporaryFolder } from '../harness/index.ts'
import { skipSuite } from '../peers/index.ts'

const minuteMs = 60_000

/** What Prometheus scrapes; the time beside the last one makes it a sample of ten minutes ago. */
const exposition = () => `
errors{group="web",revision="5"} 0.25
errors{group="web",revision="4"} 0.125
undefined_share NaN
endless +Inf
# TYPE requests counter
requests ${Math.floor(Date.now() / 1000)}
ancient 1 ${Date.now() - 10 * minuteMs}
`

interface Scraped {
  readonly port: number
  readonly server: Server
  /** Once the next scrape begins, the one before is in the database. */
  untilScrapes(count: number): Promise<void>
}

async function serveNumbers(): Promise<Scraped> {
  const server = createServer((_, response) => void response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // as: it listens on TCP
  return {
    port,
    server,
    async untilScrapes(count) {
      for (let scrape = 0; scrape < count; scrape++) await once(server, 'request')
    },
  }
}

function suite(program: string): void {
  describe('the PromQL gate against Prometheus', () => {
    let folder: TemporaryFolder
    let numbers: Scraped
    let prometheus: Child
    let url: string

    beforeAll(async () => {
      folder = await createTemporaryFolder()
      numbers = await serveNumbers()
      const listen = `127.0.0.1:${await freePort()}`
      url = `http://${listen}`
      const config = join(folder.path, 'prometheus.yml')
      const scrape = { job_name: 'numbers', scrape_interval: '1s', static_configs: [{ targets: [`127.0.0.1:${numbers.port}`] }] }
      await writeFile(config, JSON.stringify({ scrape_configs: [scrape] })) // JSON is YAML
      prometheus = new Child({
        title: 'prometheus',
        command: program,
        // Finds samples of up to an hour ago, as other Prometheus-compatible servers may.
        args: [`--config.file=${config}`, `--storage.tsdb.path=${folder.path}/data`, `--web.listen-address=${listen}`, '--query.lookback-delta=1h'],
      })
      await prometheus.untilOutput(/Server is ready to receive web requests/)
      await numbers.untilScrapes(3)
    })

    afterAll(async () => {
      await prometheus?.[Symbol.asyncDispose]()
      numbers?.server.closeAllConnections()
      numbers?.server.close()
      await folder?.[Symbol.asyncDispose]()
    })

    const judge = createJudge({
      evidence: { means: async () => new Map() },
      fleet: () => ({ agent: () => undefined }),
      outgoing: createOutgoing({ allowed: parseAllowedTargets('127.0.0.1') }),
      signingSecret: () => undefined,
      clock: { now: () => Date.now() },
      log: { warn: (...told: unknown[]) => void process.stderr.write(`${JSON.stringify(told)}\n`) },
    })
    const ask = async (query: string): Promise<string> => {
      const now = Date.now()
      const question = { rollout: 'rol_1', group: 'web', from: 4, to: 5, wave: 0, round: 1, changed: [], control: [], since: now - minuteMs, now }
      const { verdict, text } = await judge({ kind: 'promql', url, query, operator: '<', threshold: 0.2 }, question)
      return `${verdict}: ${text}`
    }

    it.each([
      ['a series', 'errors{revision="4"}', 'pass: the query gave 0.125, which must be < 0.2'],
      ['a series that is too high', 'errors{revision="5"} # today', 'fail: the query gave 0.25, which must be < 0.2'],
      [
        'the group and revisions of the rollout',
        'errors{group="$group",revision="$revision"} / on(group) errors{revision="$previousRevision"}',
        'fail: the query gave 2, which must be < 0.2',
      ],
      ['the time of the soak', 'count_over_time(errors{revision="4"}[$soak]) * 0', 'pass: the query gave 0, which must be < 0.2'],
      ['a rate', 'rate(requests[1m]) > bool 1000', 'pass: the query gave 0, which must be < 0.2'],
      ['a scalar', 'scalar(errors{revision="4"})', 'pass: the query gave 0.125, which must be < 0.2'],
      ['a sum', 'sum(errors)', 'fail: the query gave 0.375, which must be < 0.2'],
    ])('takes %s', async (_, query, told) => {
      expect(await ask(query)).toBe(told)
    })

    it.each([
      ['no series', 'errors{revision="6"}', 'the query gave no series'],
      ['two series', 'errors', 'the query gave 2 series instead of one'],
      ['what is not a number', 'undefined_share', 'the query gave NaN'],
      ['infinity', 'endless', 'the query gave Infinity'],
      ['a division by nothing', 'scalar(errors{revision="4"}) / 0', 'the query gave Infinity'],
      ['a sample of ten minutes ago', 'ancient', 'the query gave an old sample'],
      ['the same in brackets', '(ancient)', 'the query gave an old sample'],
      ['a range', 'errors[1m]', 'the query gave no answer: the query gives a matrix, and not one number'],
      ['text', '"0.1"', 'the query gave no answer: the query gives a string, and not one number'],
      ['no PromQL', 'errors{', 'the query gave no answer: status 400, "invalid parameter \\"query\\":'],
    ])('is inconclusive for %s', async (_, query, told) => {
      expect(await ask(query)).toContain(`inconclusive: ${told}`)
    })

    it('is inconclusive while Prometheus hangs, and when it is gone', async () => {
      prometheus.signal('SIGSTOP')
      expect(await ask('errors')).toMatch(/^inconclusive: .* gave no whole answer within 5 seconds$/)
      prometheus.signal('SIGCONT')
      expect(await ask('errors{revision="4"}')).toMatch(/^pass/)
      await prometheus.end()
      expect(await ask('errors')).toMatch(/^inconclusive: .* refuses the connection$/)
    })
  })
}

function findProgram(): string | undefined {
  const given = process.env['DROVER_PROMETHEUS']
  const places = given === undefined ? [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'].map((place) => join(place, 'prometheus')) : [given]
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const program = findProgram()
const missing = 'there is no prometheus; install it (Debian: apt-get install prometheus), or name yours in DROVER_PROMETHEUS'
if (program !== undefined) suite(program)
else if (process.env['DROVER_REQUIRE_PEERS'] === '1') throw new Error(missing)
else skipSuite('the PromQL gate against Prometheus', missing)
