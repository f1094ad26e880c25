/** The start: what the Collector is given, and what a supervisor refuses. */
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../../../harness/index.ts'
import { differs, ok } from '../scenario.ts'
import type { Chapter, Outcome, Stage } from '../scenario.ts'
import { expectTelemetry, forwarding, idle, isUpAt, running, untilAgentAt, untilApplied, untilHealthy, writeLocal } from '../steps.ts'
import type { Settings } from '../subject.ts'

/** What a start without a chance says, and that it ends. */
async function refusal(stage: Stage, settings: Settings, says: RegExp): Promise<Outcome> {
  const peer = await stage.peer()
  const subject = stage.subject({ endpoint: peer.url, settings })
  await subject.start()
  const how = await Promise.race([subject.child.ended, untilHealthy(peer, subject.uid)])
  if (how !== 'exit code 1') return differs(typeof how === 'string' ? how : 'it starts, and reports as healthy')
  return says.test(subject.child.output) ? ok('ends and says why') : differs(`ends, and says: ${subject.child.output.slice(-300)}`)
}

export const start: Chapter = {
  title: 'Start',
  scenarios: [
    {
      id: 'nothing-given',
      title: 'Without any configuration the Collector runs, idle and healthy',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        return subject.collectors().length === 1 ? ok('healthy') : differs('no Collector runs')
      },
    },
    {
      id: 'no-gate',
      title: 'A Collector that insists on a pipeline gets one that does nothing',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        // older than the feature gate that allows to have none
        const older = await writeLocal(
          stage,
          'older',
          `#!/bin/sh\n[ "$1" = featuregate ] && echo 'ID Enabled Stage Description' && exit 0\nexec '${stage.collector}' "$@"\n`,
        )
        await chmod(older, 0o755)
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, collector: older })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        return (await subject.fileInStorage('effective.yaml')).includes('nop') ? ok('healthy, with a pipeline that does nothing') : differs('healthy without')
      },
    },
    {
      id: 'no-pipelines',
      title: 'A configuration without pipelines is run by a Collector that knows how',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        // the stock supervisor finds out by itself as well, but not always: it may stop reading the list of gates too early
        const args = ['--set=service::telemetry::metrics::level=none', '--feature-gates=service.AllowNoPipelines']
        const { peer, subject } = await running(stage, { agent: { args } })
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': 'receivers:\n  nop: {}\n' })
        await untilApplied(peer, subject.uid, hash)
        return ok('APPLIED')
      },
    },
    {
      id: 'local-config',
      title: 'Local files alone: telemetry goes through, and a missing one is skipped',
      run: async (stage) => {
        const port = await freePort()
        const files = [join(stage.folder, 'absent.yaml'), await writeLocal(stage, 'local.yaml', forwarding({ port, sink: stage.sink }))]
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { capabilities: { accepts_remote_config: false }, agent: { config_files: files } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        await expectTelemetry(stage, port)
        return ok('telemetry goes through')
      },
    },
    {
      id: 'order-of-sources',
      title: 'The order of config_files decides: with the OpAMP extension last, a remote configuration cannot cut it off',
      run: async (stage) => {
        const peer = await stage.peer()
        const config_files = ['$OWN_TELEMETRY_CONFIG', '$REMOTE_CONFIG', '$OPAMP_EXTENSION_CONFIG']
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { config_files } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        const port = await freePort()
        const extensions = { opamp: { server: { ws: { endpoint: 'ws://127.0.0.1:1/v1/opamp' } } } }
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': forwarding({ port, sink: stage.sink, more: { extensions } }) })
        await untilApplied(peer, subject.uid, hash)
        await expectTelemetry(stage, port)
        return ok('still reported by the extension')
      },
    },
    {
      id: 'unknown-source',
      title: 'An unknown special name in config_files is refused at the start',
      run: (stage) => refusal(stage, { agent: { config_files: ['$NO_SUCH_CONFIG'] } }, /\$NO_SUCH_CONFIG/),
    },
    {
      id: 'no-executable',
      title: 'A Collector that is not there is refused at the start',
      run: (stage) => refusal(stage, { agent: { executable: '/no/such/collector' } }, /no\/such\/collector/),
    },
    {
      id: 'args-and-env',
      title: 'args and env reach the Collector',
      run: async (stage) => {
        const port = await freePort()
        const local = await writeLocal(stage, 'local.yaml', forwarding({ port: 0, sink: stage.sink }).replace('127.0.0.1:0', '127.0.0.1:${env:SCENARIO_PORT}'))
        const args = ['--set=service::telemetry::metrics::level=none', '--set=processors::batch/set={}']
        const peer = await stage.peer()
        const agent = { config_files: [local], args, env: { SCENARIO_PORT: String(port) } }
        const subject = stage.subject({ endpoint: peer.url, settings: { agent, capabilities: { accepts_remote_config: false } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        await expectTelemetry(stage, port)
        const effective = new TextDecoder().decode(peer.agent(subject.uid).status.effectiveConfig?.configMap?.configMap['']?.body)
        return effective.includes('batch/set') ? ok('both') : differs('args do not')
      },
    },
    {
      id: 'environment-in-file',
      title: 'References to the environment in the supervisor’s own file are resolved',
      run: async (stage) => {
        const peer = await stage.peer({ token: 'from the environment' })
        const headers = { Authorization: ['Bearer ${env:SCENARIO_TOKEN}'] }
        const subject = stage.subject({ endpoint: peer.url, settings: { server: { headers } }, env: { SCENARIO_TOKEN: 'from the environment' } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        return ok('resolved')
      },
    },
    {
      id: 'bootstrap-timeout',
      title: 'A program that never speaks is given up after bootstrap_timeout, with the reason',
      run: async (stage) => {
        const mute = await writeLocal(stage, 'mute', '#!/bin/sh\ncase "$1" in --config*) exec sleep 60;; esac\nexit 0\n')
        await chmod(mute, 0o755)
        return refusal(stage, { agent: { executable: mute, bootstrap_timeout: '1s' } }, /never connected|did not connect|not connect|bootstrap/i)
      },
    },
    {
      id: 'wrong-identity',
      title: 'A Collector that insists on another identity is refused at the start',
      stock: 'differs',
      reason: 'What the Collector reports must be about the agent that the server knows; v0.149.0 forgets the mismatch while it reports it',
      run: (stage) =>
        refusal(
          stage,
          { agent: { args: ['--set=service::telemetry::metrics::level=none', '--set=extensions::opamp::instance_uid=01939b3c-7d2e-7c3a-9f00-0123456789ab'] } },
          /01939b3c-7d2e-7c3a-9f00-0123456789ab/,
        ),
    },
    {
      id: 'port-8888-taken',
      title: 'The start succeeds although port 8888, where a Collector serves its own metrics, is taken',
      collectors: ['real'],
      stock: 'differs',
      reason: 'The Collector is asked who it is with its metrics off (newer stock supervisors do so, too)',
      run: async (stage) => {
        const other = createServer()
        other.listen(8888, 'localhost')
        await once(other, 'listening').catch(() => undefined) // taken already: as good
        try {
          const port = await freePort()
          const telemetry = { metrics: { readers: [{ pull: { exporter: { prometheus: { host: 'localhost', port } } } }] } }
          const local = await writeLocal(stage, 'metrics.yaml', idle({ service: { telemetry } }))
          const settings = { agent: { args: [], config_files: [local], bootstrap_timeout: '3s' } }
          const peer = await stage.peer()
          const subject = stage.subject({ endpoint: peer.url, settings })
          await subject.start()
          const how = await Promise.race([subject.child.ended, untilHealthy(peer, subject.uid)])
          return how === true ? ok('starts') : differs('gives up at the start')
        } finally {
          other.close()
        }
      },
    },
  ],
}
