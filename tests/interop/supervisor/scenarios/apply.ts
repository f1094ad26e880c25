/** A new configuration: how it is taken, merged, checked and applied. */
import { RemoteConfigStatuses } from '@drover/protocol'
import { freePort } from '../../../harness/index.ts'
import { attemptsOf } from '../../agents.ts'
import { configOffer, effectiveText } from '../opamp-peer.ts'
import type { SeenAgent } from '../opamp-peer.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { Chapter, Scenario } from '../scenario.ts'
import {
  assignTo,
  expectTelemetry,
  forwarding,
  idle,
  isAppliedAt,
  isUpAt,
  running,
  runningLocally,
  statusOf,
  stubbed,
  takePort,
  telemetryReturns,
  untilAgentAt,
  untilApplied,
  untilFailed,
  untilHealthy,
} from '../steps.ts'
import { until } from '../subject.ts'

const { RemoteConfigStatuses_APPLIED: APPLIED, RemoteConfigStatuses_APPLYING: APPLYING, RemoteConfigStatuses_FAILED: FAILED } = RemoteConfigStatuses

export const apply: Chapter = {
  title: 'A new configuration',
  scenarios: [
    {
      id: 'remote-config',
      title: 'A configuration given to a group is applied, telemetry goes through it, and the control plane shows what runs',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { server } = stage
        const subject = await stage.subjectAtServer()
        await subject.start()
        await untilAgentAt(server, subject.uid, 'up', isUpAt)
        const port = await freePort()
        await assignTo(server, subject.uid, `forward-${subject.uid}`, forwarding({ port, sink: stage.sink }))
        const agent = await untilAgentAt(server, subject.uid, 'applied', isAppliedAt)
        await expectTelemetry(stage, port)
        const { data: effective } = await server.api.getEffectiveConfig({ params: { agentId: subject.uid } })
        const { data: desired } = await server.api.getDesiredConfig({ params: { agentId: subject.uid } })
        if (!effective.files[0]?.body.includes('otlphttp/out')) return differs('the effective configuration lacks what was given')
        if (desired.state !== 'applied' || desired.drift.length > 0) return differs('the control plane sees drift')
        if (!(await subject.fileInStorage('effective.yaml')).includes(`127.0.0.1:${port}`)) return differs('effective.yaml lacks what was given')
        const attempts = (await attemptsOf(server, agent.id)).map(({ state }) => state)
        return attempts.join() === 'applied' ? ok('applied with one offer, no drift') : differs(`offers: ${attempts.join()}`)
      },
    },
    {
      id: 'applying-first',
      title: 'APPLYING is reported before APPLIED, for the hash that was offered',
      run: async (stage) => {
        const { peer, subject, hash } = await running(stage)
        const seen = statusOf(peer.agent(subject.uid), hash)
        return seen.join() === [APPLYING, APPLIED].join() ? ok('APPLYING, then APPLIED') : differs(`statuses ${seen.join()}`)
      },
    },
    {
      id: 'same-content',
      title: 'Content that runs already is APPLIED at once, without a restart',
      run: async (stage) => {
        const { peer, subject, port } = await running(stage)
        const pid = await subject.untilCollector()
        const hash = peer.offerConfig(subject.uid, { 'other-name.yaml': forwarding({ port, sink: stage.sink }) })
        await untilApplied(peer, subject.uid, hash)
        return subject.collectors().join() === String(pid) ? ok('APPLIED, same process') : differs('the Collector was restarted')
      },
    },
    {
      id: 'merge',
      title: 'Several files are merged by name, the empty name last; lists of extensions are joined, other lists replaced',
      run: async (stage) => {
        const { peer, subject } = await running(stage)
        const extension = 'extensions:\n  health_check: {}\nservice:\n  extensions: [health_check]\n'
        const timeout = (seconds: number) => `processors:\n  batch:\n    timeout: ${seconds}s\n`
        const hash = peer.offerConfig(subject.uid, { b: timeout(2), '': timeout(3), a: idle(), c: extension, d: timeout(1) })
        await untilApplied(peer, subject.uid, hash)
        const text = await peer.until(subject.uid, (agent) => (effectiveText(agent).includes('health_check') ? effectiveText(agent) : undefined), {
          what: 'effective',
        })
        const isMerged = text.includes('timeout: 3s') && /extensions:[\s\S]*opamp/.test(text)
        return isMerged ? ok('merged; the OpAMP extension is still there') : differs('merged otherwise')
      },
    },
    {
      id: 'not-yaml',
      title: 'Text that is no YAML is FAILED, and the running Collector is not touched',
      run: async (stage) => {
        const { peer, subject, port } = await running(stage)
        const pid = await subject.untilCollector()
        const hash = peer.offerConfig(subject.uid, { 'bad.yaml': 'a: [b' })
        await untilFailed(peer, subject.uid, hash)
        await expectTelemetry(stage, port)
        return subject.collectors().join() === String(pid) ? ok('FAILED, same process') : differs('the Collector was restarted')
      },
    },
    ...([true, false] as const).map(
      (asked): Scenario => ({
        id: asked ? 'validate-asked' : 'validate-always',
        title: asked
          ? 'validate_config: what the Collector refuses is FAILED with its words, and the running Collector is not touched'
          : 'The same without validate_config',
        collectors: ['stub', 'real'],
        ...(asked
          ? {}
          : {
              stock: 'differs',
              reason: 'A new configuration is always checked by the Collector itself first; there is no reason to stop a running one for one that is refused',
            }),
        run: async (stage) => {
          const { peer, subject, port } = await running(stage, asked ? { agent: { validate_config: true } } : {})
          const pid = await subject.untilCollector()
          const hash = peer.offerConfig(subject.uid, { 'bad.yaml': idle({ exporters: { kafka: {} } }) })
          const text = await untilFailed(peer, subject.uid, hash)
          if (subject.collectors().join() !== String(pid)) return differs('FAILED after the running Collector was stopped for it')
          await expectTelemetry(stage, port)
          return text.includes('kafka') ? ok("FAILED with the Collector's words, same process") : differs('FAILED without the reason')
        },
      }),
    ),
    {
      id: 'refused-at-server',
      title: 'A refused configuration is shown as failed by the control plane, the last good one runs, and the bad one is not sent again',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { server } = stage
        const subject = await stage.subjectAtServer()
        await subject.start()
        const port = await freePort()
        await untilAgentAt(server, subject.uid, 'up', isUpAt)
        await assignTo(server, subject.uid, `good-${subject.uid}`, forwarding({ port, sink: stage.sink }))
        await untilAgentAt(server, subject.uid, 'applied', isAppliedAt)
        await using taken = await takePort()
        await assignTo(server, subject.uid, `bad-${subject.uid}`, forwarding({ port: taken.port, sink: stage.sink }))
        const agent = await untilAgentAt(server, subject.uid, 'restored', (one) => one.configState === 'restored' && one.healthy === true)
        if (!(await telemetryReturns(stage, port))) return differs('telemetry stays down')
        const offers = (await attemptsOf(server, agent.id)).filter(({ hash }) => hash === agent.desiredConfigHash)
        return offers.length === 1 ? ok('restored; offered once') : differs(`the bad one was offered ${offers.length} times`)
      },
    },
    {
      id: 'restart-after-failure',
      title: 'A supervisor that is restarted after a failure starts with the last good configuration',
      stock: 'differs',
      reason: 'Only a configuration that was healthy is kept as good; the stock supervisor starts with the last one that it received',
      run: async (stage) => {
        const { peer, subject, port } = await running(stage)
        const hash = peer.offerConfig(subject.uid, { 'bad.yaml': stubbed({ fails_at_start: 'no such device' }) })
        await untilFailed(peer, subject.uid, hash)
        await subject.stop()
        const before = peer.agent(subject.uid).configStatuses.length
        await subject.start()
        await peer.until(subject.uid, (agent) => agent.connects === 2, { what: 'back' })
        if (!(await telemetryReturns(stage, port))) return differs('it starts with the configuration that failed, and telemetry stays down')
        const again = peer.agent(subject.uid).configStatuses.slice(before)
        return again.length === 0 ? ok('telemetry goes through; the status is not reported anew') : differs('the status changed without a reason')
      },
    },
    {
      id: 'crash-fails-at-once',
      title: 'A crash while a configuration is applied is FAILED at once, not when config_apply_timeout is over',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage, { agent: { config_apply_timeout: '10m' } })
        const hash = peer.offerConfig(subject.uid, { 'bad.yaml': stubbed({ crash_after_ms: 100 }) })
        await untilFailed(peer, subject.uid, hash)
        return ok('FAILED at once')
      },
    },
    {
      id: 'crash-log-tail',
      title: 'collector_crash_log_snippet_kib: the end of the log of a crash is in the error',
      stock: 'not supported',
      reason: 'A key of newer stock supervisors',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { collector_crash_log_snippet_kib: 1 } } })
        await subject.start()
        const isUp = await Promise.race([untilHealthy(peer, subject.uid), subject.child.ended])
        if (isUp !== true) return notSupported('refuses to start: unknown key')
        const hash = peer.offerConfig(subject.uid, { 'bad.yaml': stubbed({ fails_at_start: 'no such device /dev/none', log_kib: 8 }) })
        const text = await untilFailed(peer, subject.uid, hash)
        if (!text.includes('/dev/none')) return differs('the log is not in the error')
        return text.length < 4096 ? ok('the end of the log is in the error') : differs('all of the log is in the error')
      },
    },
    {
      id: 'rollback-key',
      title: 'automatic_config_rollback is understood',
      stock: 'not supported',
      reason: 'A key of newer stock supervisors; ours always does what it asks for',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { automatic_config_rollback: true } } })
        await subject.start()
        const isUp = await Promise.race([untilHealthy(peer, subject.uid), subject.child.ended])
        return isUp === true ? ok('starts') : notSupported('refuses to start: unknown key')
      },
    },
    {
      id: 'empty-map',
      title: 'An empty configuration stops the Collector: APPLIED, healthy; the next one starts it again',
      run: async (stage) => {
        const { peer, subject, port } = await running(stage)
        const empty = configOffer({})
        peer.offer(subject.uid, empty.offer)
        await untilApplied(peer, subject.uid, empty.hash)
        await until(() => subject.collectors().length === 0, 'no Collector')
        await peer.until(subject.uid, (agent) => agent.status.health?.healthy === true, { what: 'healthy without a Collector' })
        const hash = peer.offerConfig(subject.uid, { 'good.yaml': forwarding({ port, sink: stage.sink, more: { extensions: {} } }) })
        await untilApplied(peer, subject.uid, hash)
        await expectTelemetry(stage, port)
        return ok('stopped, healthy; started again by the next one')
      },
    },
    {
      id: 'hup',
      title: 'use_hup_config_reload: a new configuration is taken by the same process',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { peer, subject } = await running(stage, { agent: { use_hup_config_reload: true } })
        const pid = await subject.untilCollector()
        const port = await freePort()
        const hash = peer.offerConfig(subject.uid, { 'next.yaml': forwarding({ port, sink: stage.sink }) })
        await untilApplied(peer, subject.uid, hash)
        await expectTelemetry(stage, port)
        return subject.collectors().join() === String(pid) ? ok('same process') : differs('another process')
      },
    },
    {
      id: 'slow-stop',
      title: 'A Collector that ignores SIGTERM is ended by force, and the next configuration runs and is APPLIED',
      stock: 'differs',
      reason: 'The time that the old process takes to stop is not counted as the time of the new configuration',
      run: async (stage) => {
        const { peer, subject } = await running(stage)
        const stubborn = peer.offerConfig(subject.uid, { 'a.yaml': stubbed({ ignores_sigterm: true }) })
        await untilApplied(peer, subject.uid, stubborn)
        const pid = await subject.untilCollector()
        const port = await freePort()
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': forwarding({ port, sink: stage.sink }) })
        const isOver = (agent: SeenAgent) => statusOf(agent, hash).find((status) => status === APPLIED || status === FAILED)
        const verdict = await peer.until(subject.uid, isOver, { what: 'a verdict' })
        if (!(await telemetryReturns(stage, port, stage.soonMs + 10_000))) return differs('the new configuration does not run')
        if (subject.collectors().includes(pid)) return differs('the old one still runs')
        return verdict === APPLIED ? ok('ended by force, APPLIED') : differs('ended by force; FAILED, though the new configuration runs')
      },
    },
  ],
}
