/** A process of scripted agents on real WebSockets, each with a configuration that no other has: `external-fleet.ts URL TOKEN AGENTS CONFIG_BYTES`. */
import { RemoteConfigStatuses } from '@drover/protocol'
import { ScriptedAgent, TimerQueue, agentTraits, createRandom, systemClock, webSocketLink } from '@drover/testing'

const [url = '', token = '', agents = '0', configBytes = '0'] = process.argv.slice(2)
const timers = new TimerQueue({ clock: systemClock, granularityMs: 20 })

/** In the style of a supervisor's merged configuration: block style, keys in order, its own uid and ports in it. */
function effectiveConfig(index: number, uid: string, bytes: number): string {
  const own = `exporters:
    otlp_http:
        endpoint: https://gateway.example.com:4318
        headers:
            x-api-key: key-of-${index}
        retry_on_failure:
            enabled: true
            max_elapsed_time: 0s
extensions:
    health_check:
        endpoint: localhost:${20_000 + index}
    opamp:
        instance_uid: ${uid}
        ppid: ${1000 + index}
        server:
            ws:
                endpoint: ws://127.0.0.1:${20_000 + index}/v1/opamp
                tls:
                    insecure: true
`
  const receiver = (number: number) => `    filelog/${number}:
        exclude: []
        include:
            - /var/log/app-${number}/*.log
        operators:
            - regex: ^(?P<time>\\d+) (?P<severity>[A-Z]*) (?P<message>.*)$
              type: regex_parser
        start_at: end
`
  const rest =
    'service:\n    pipelines:\n        logs:\n            exporters:\n                - otlp_http\n            receivers:\n                - filelog/0\n'
  let receivers = 'receivers:\n'
  for (let number = 0; number === 0 || own.length + receivers.length + rest.length < bytes; number++) receivers += receiver(number)
  return own + receivers + rest
}

for (let index = 0; index < Number(agents); index++) {
  const traits = agentTraits(index)
  const config = effectiveConfig(index, traits.uid, Number(configBytes))
  new ScriptedAgent({
    traits,
    timers,
    openLink: webSocketLink({ url, headers: { authorization: `Bearer ${token}` } }),
    random: createRandom(index),
    times: { applyMs: 200 },
    merge: () => config,
    memory: { hash: new Uint8Array(), status: RemoteConfigStatuses.RemoteConfigStatuses_UNSET, errorMessage: '', config },
  }).start()
}
