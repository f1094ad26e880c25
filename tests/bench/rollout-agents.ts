/**
 * A process of scripted agents on real WebSockets that writes down when each configuration was there, to the last byte:
 * `rollout-agents.ts URL TOKEN AGENTS FILE`. A line in FILE is the number of the agent, of the configuration, and milliseconds since 1970.
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, systemClock, webSocketLink } from '@drover/testing'

const [url = '', token = '', agents = '0', file = ''] = process.argv.slice(2)
const timers = new TimerQueue({ clock: systemClock, granularityMs: 20 })
const open = webSocketLink({ url, headers: { authorization: `Bearer ${token}` } })
/** A connection is asked for by so many at a time. */
const startedTogether = 200
const startEveryMs = 150
const writeEveryMs = 500
const times = { startMs: 40, applyMs: 200 }

let lines = ''
const decoder = new TextDecoder()
setInterval(() => {
  if (lines === '') return
  appendFileSync(file, lines)
  lines = ''
}, writeEveryMs)

/** As the configuration says it of itself, in its first line. */
function numberOf(body: Uint8Array): string {
  return /number (\d+)/.exec(decoder.decode(body.subarray(0, 64)))?.[1] ?? '0'
}

for (let index = 0; index < Number(agents); index++) {
  let cameAt = 0
  new ScriptedAgent({
    traits: agentTraits(index),
    timers,
    openLink: (events, uid) => {
      const message = (bytes: Uint8Array) => {
        cameAt = Date.now()
        events.message(bytes)
      }
      return open({ ...events, message }, uid)
    },
    random: createRandom(index),
    times,
    // Agents do nothing with it: this process shares the machine with the server that is measured.
    merge: () => 'receivers: {nop: {}}\nexporters: {nop: {}}\nservice:\n  pipelines:\n    logs: {receivers: [nop], exporters: [nop]}\n',
    onMessage: ({ remoteConfig }) => {
      const first = Object.values(remoteConfig?.config?.configMap ?? {})[0]
      if (first !== undefined) lines += `${index} ${numberOf(first.body)} ${cameAt}\n`
    },
  }).start()
  if (index % startedTogether === startedTogether - 1) await delay(startEveryMs)
}
