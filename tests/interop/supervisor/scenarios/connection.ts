/** The connection to the server: transports, a server that is late or away, a server that refuses. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../harness/index.ts'
import { OpampPeer, configOffer } from '../opamp-peer.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { Chapter, Stage } from '../scenario.ts'
import { createCertificate, expectTelemetry, forwarding, running, runningLocally, telemetryReturns, untilApplied, untilHealthy } from '../steps.ts'
import { until } from '../subject.ts'

/** A supervisor that starts while its server is not there, with a configuration for that case. */
async function withFallback(stage: Stage) {
  const port = await freePort()
  const file = join(stage.folder, 'fallback.yaml')
  await mkdir(stage.folder, { recursive: true })
  await writeFile(file, forwarding({ port, sink: stage.sink }))
  const peer = await stage.peer()
  await peer.close()
  const subject = stage.subject({ endpoint: peer.url, settings: { agent: { startup_fallback_configs: [file] } } })
  await subject.start()
  return { peer, port, subject }
}

export const connection: Chapter = {
  title: 'Connection to the server',
  scenarios: [
    {
      id: 'plain-http',
      title: 'Plain HTTP: polls, and applies what an answer brings',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.httpUrl })
        const port = await freePort()
        const { offer, hash } = configOffer({ 'a.yaml': forwarding({ port, sink: stage.sink }) })
        peer.greet(subject.uid, offer)
        await subject.start()
        await untilApplied(peer, subject.uid, hash)
        // what comes before the Collector's start is there at once, and APPLIED
        if (!(await telemetryReturns(stage, port))) return differs('APPLIED, and does not run')
        return peer.agent(subject.uid).connection?.transport === 'http' ? ok('applied') : differs('another transport')
      },
    },
    {
      id: 'tls',
      title: 'TLS with an authority of the file, over both transports',
      run: async (stage) => {
        const own = await createCertificate(stage.folder, 'own')
        const file = join(stage.folder, 'own.pem')
        for (const transport of ['ws', 'http'] as const) {
          const peer = await stage.peer({ tls: own })
          const endpoint = transport === 'ws' ? peer.url : peer.httpUrl
          const subject = stage.subject({ endpoint, settings: { server: { tls: { ca_file: file } } } })
          await subject.start()
          await untilHealthy(peer, subject.uid)
        }
        return ok('connected')
      },
    },
    {
      id: 'late-server',
      title: 'A server that comes later is found, and its configuration is applied',
      run: async (stage) => {
        const peer = await stage.peer()
        await peer.close()
        const subject = stage.subject({ endpoint: peer.url })
        await subject.start()
        await subject.child.untilOutput(/fail|refused|not connected/i)
        await peer.listen()
        await untilHealthy(peer, subject.uid)
        const port = await freePort()
        await untilApplied(peer, subject.uid, peer.offerConfig(subject.uid, { 'a.yaml': forwarding({ port, sink: stage.sink }) }))
        await expectTelemetry(stage, port)
        return ok('found, applied')
      },
    },
    {
      id: 'server-away',
      title: 'While the server is away telemetry goes through; when it is back the agent is, too, and nothing is restarted',
      run: async (stage) => {
        const { peer, subject, port } = await runningLocally(stage)
        const pid = await subject.untilCollector()
        await peer.close()
        await expectTelemetry(stage, port)
        await subject.child.untilOutput(/fail|refused|not connected/i)
        await expectTelemetry(stage, port)
        await peer.listen()
        await peer.until(subject.uid, (agent) => agent.connects === 2 && agent.connection !== undefined, { what: 'back' })
        return subject.collectors().join() === String(pid) ? ok('back, same process') : differs('the Collector was restarted')
      },
    },
    {
      id: 'restart-without-server',
      title: 'A supervisor that starts without its server runs the last configuration that it has',
      run: async (stage) => {
        const { peer, subject, port } = await running(stage)
        await subject.stop()
        await peer.close()
        await subject.start()
        return (await telemetryReturns(stage, port)) ? ok('telemetry goes through') : differs('nothing runs')
      },
    },
    {
      id: 'startup-fallback',
      title: 'startup_fallback_configs: a first start without a server runs them',
      stock: 'not supported',
      reason: 'A key of newer stock supervisors',
      run: async (stage) => {
        const { subject, port } = await withFallback(stage)
        const how = await Promise.race([telemetryReturns(stage, port), subject.child.ended])
        if (typeof how === 'string') return notSupported('refuses to start: unknown key')
        return how ? ok('telemetry goes through') : differs('it does not run')
      },
    },
    {
      id: 'fallback-ends',
      title: 'The first contact with the server ends the fallback',
      stock: 'not supported',
      reason: 'A key of newer stock supervisors',
      run: async (stage) => {
        const { peer, subject, port } = await withFallback(stage)
        const how = await Promise.race([telemetryReturns(stage, port), subject.child.ended])
        if (how !== true) return notSupported('refuses to start: unknown key')
        await peer.listen()
        await untilHealthy(peer, subject.uid)
        await until(async () => !(await subject.fileInStorage('effective.yaml')).includes(String(port)), 'without the fallback')
        return ok('what the server gives runs instead')
      },
    },
    {
      id: 'no-fallback-with-memory',
      title: 'A supervisor that has a configuration of its server runs that one and not the fallback',
      stock: 'not supported',
      reason: 'A key of newer stock supervisors',
      run: async (stage) => {
        const fallbackPort = await freePort()
        const file = join(stage.folder, 'fallback.yaml')
        await mkdir(stage.folder, { recursive: true })
        await writeFile(file, forwarding({ port: fallbackPort, sink: stage.sink }))
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { startup_fallback_configs: [file] } } })
        await subject.start()
        const isUp = await Promise.race([untilHealthy(peer, subject.uid), subject.child.ended])
        if (isUp !== true) return notSupported('refuses to start: unknown key')
        const port = await freePort()
        await untilApplied(peer, subject.uid, peer.offerConfig(subject.uid, { 'a.yaml': forwarding({ port, sink: stage.sink }) }))
        await subject.stop()
        await peer.close()
        await subject.start()
        if (!(await telemetryReturns(stage, port))) return differs('the last configuration does not run')
        return (await subject.fileInStorage('effective.yaml')).includes(String(fallbackPort)) ? differs('both run') : ok('the last configuration runs')
      },
    },
    {
      id: 'refused-by-server',
      title: 'A server that refuses it (401) is asked again later, and the Collector runs meanwhile',
      run: async (stage) => {
        const peer = await stage.peer({ token: 'the right one' })
        const subject = stage.subject({ endpoint: peer.url, settings: { server: { headers: { Authorization: ['Bearer a wrong one'] } } } })
        await subject.start()
        await until(() => peer.refused >= 2, 'refused twice')
        await subject.untilCollector()
        return ok('asked again; the Collector runs')
      },
    },
    {
      id: 'another-server-takes-over',
      title: 'A server that forgot everything is told everything',
      run: async (stage) => {
        const { peer, subject } = await running(stage)
        const port = Number(new URL(peer.url).port)
        await peer.close()
        await using other = await OpampPeer.start({ port })
        await untilHealthy(other, subject.uid)
        const { status } = other.agent(subject.uid)
        const isWhole = status.agentDescription !== undefined && status.effectiveConfig !== undefined && status.remoteConfigStatus !== undefined
        return isWhole ? ok('the full state is reported') : differs('parts are missing')
      },
    },
  ],
}
