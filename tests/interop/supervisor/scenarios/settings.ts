/** The settings offered over the protocol: another place to connect to, own telemetry, another identity. */
import { create } from '@bufbuild/protobuf'
import {
  ConnectionSettingsOffersSchema,
  ConnectionSettingsStatuses,
  OpAMPConnectionSettingsSchema,
  TLSCertificateSchema,
  TelemetryConnectionSettingsSchema,
  createInstanceUid,
} from '@drover/protocol'
import { freePort } from '../../../harness/index.ts'
import { effectiveText } from '../opamp-peer.ts'
import type { OpampPeer, SeenAgent } from '../opamp-peer.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { Chapter, Outcome, Stage } from '../scenario.ts'
import type { Subject } from '../subject.ts'
import { createCertificate, expectTelemetry, isHealthy, runningLocally, untilHealthy } from '../steps.ts'
import { until, within } from '../subject.ts'

const { ConnectionSettingsStatuses_APPLIED: APPLIED, ConnectionSettingsStatuses_FAILED: FAILED } = ConnectionSettingsStatuses
/** A bad offer must be over by then. */
const backWithinMs = 30_000

const bytes = (text: string) => new TextEncoder().encode(text)
const random = (array: Uint8Array) => void crypto.getRandomValues(array as Uint8Array<ArrayBuffer>) // as: a fresh array is never shared memory

interface Settings {
  readonly endpoint: string
  readonly token?: string
  readonly ca?: string
  readonly heartbeatSeconds?: number
}

let offers = 0

function opampOffer({ endpoint, token, ca, heartbeatSeconds = 30 }: Settings) {
  const opamp = create(OpAMPConnectionSettingsSchema, {
    destinationEndpoint: endpoint,
    heartbeatIntervalSeconds: BigInt(heartbeatSeconds),
    ...(token === undefined ? {} : { headers: { headers: [{ key: 'Authorization', value: `Bearer ${token}` }] } }),
    ...(ca === undefined ? {} : { certificate: create(TLSCertificateSchema, { caCert: bytes(ca) }) }),
  })
  return { connectionSettings: create(ConnectionSettingsOffersSchema, { hash: bytes(`offer ${++offers}`), opamp }) }
}

const settingsStatus = (agent: SeenAgent) => agent.status.connectionSettingsStatus

/** Offers settings that lead nowhere, and looks whether the agent is soon back where it was, and says why. */
async function backFrom(stage: Stage, bad: Settings): Promise<Outcome> {
  const { peer, subject, port } = await runningLocally(stage)
  peer.offer(subject.uid, opampOffer(bad))
  const startedAt = performance.now()
  const isJudged = (agent: SeenAgent) => agent.connection !== undefined && settingsStatus(agent)?.status === FAILED
  const judged = await peer.within(subject.uid, (agent) => isJudged(agent) || undefined, Math.min(stage.soonMs, backWithinMs))
  await expectTelemetry(stage, port)
  if (judged === undefined) return differs(peer.agent(subject.uid).connection === undefined ? 'it never comes back' : 'it stays, without a word')
  console.info(
    `${stage.kind}: settings refused after ${Math.round(performance.now() - startedAt)} ms: ${settingsStatus(peer.agent(subject.uid))?.errorMessage}`,
  )
  return settingsStatus(peer.agent(subject.uid))?.errorMessage === ''
    ? differs('no reason is given')
    : ok('it is on the old connection and reports FAILED with the reason')
}

/** Connected over TLS, it is offered a place that is less safe, without a certificate in the offer. */
async function stays(stage: Stage, elsewhere: OpampPeer, otherwise: string): Promise<Outcome> {
  const own = await createCertificate(stage.folder, 'own')
  const first = await stage.peer({ tls: own })
  const subject = stage.subject({ endpoint: first.url, settings: { server: { tls: { ca_pem: own.cert } } } })
  await subject.start()
  await untilHealthy(first, subject.uid)
  first.offer(subject.uid, opampOffer({ endpoint: elsewhere.url, token: 'secret' }))
  const isRefused = async () => (await first.within(subject.uid, (agent) => settingsStatus(agent)?.status === FAILED, stage.soonMs)) === true
  const isMoved = async () =>
    (await elsewhere.within(subject.uid, (agent) => agent.connection !== undefined, stage.soonMs)) === undefined && (await isRefused())
  const hasStayed = await Promise.race([isRefused(), isMoved()])
  return hasStayed ? ok('refused; it stays where it is') : differs(otherwise)
}

const proof = 'Offered settings are a candidate: tried beside the running connection, adopted only when the server answers'

async function withTwoPeers(stage: Stage): Promise<{ first: OpampPeer; second: OpampPeer; subject: Subject }> {
  const { peer, subject } = await runningLocally(stage)
  const second = await stage.peer({ token: 'second' })
  peer.offer(subject.uid, opampOffer({ endpoint: second.url, token: 'second' }))
  await second.until(subject.uid, (agent) => agent.connection !== undefined, { what: 'connected to the second server' })
  return { first: peer, second, subject }
}

function telemetryOffer(endpoint: string) {
  const settings = (signal: string) => create(TelemetryConnectionSettingsSchema, { destinationEndpoint: `${endpoint}/v1/${signal}` })
  return {
    connectionSettings: create(ConnectionSettingsOffersSchema, {
      hash: bytes(`telemetry ${++offers}`),
      ownLogs: settings('logs'),
      ownTraces: settings('traces'),
      ownMetrics: settings('metrics'),
    }),
  }
}

export const settings: Chapter = {
  title: 'Offered settings and identity',
  scenarios: [
    {
      id: 'settings-good',
      title: 'A good endpoint with another token is adopted',
      run: async (stage) => {
        const { first, subject } = await withTwoPeers(stage)
        await first.until(subject.uid, (agent) => agent.connection === undefined, { what: 'gone from the first server' })
        return ok('connected to the new endpoint with the new token')
      },
    },
    {
      id: 'settings-health',
      title: 'A healthy Collector is still reported as healthy after the settings were adopted',
      stock: 'differs',
      reason: 'Changing the connection says nothing about the Collector',
      run: async (stage) => {
        const { second, subject } = await withTwoPeers(stage)
        const healthy = await second.within(subject.uid, (agent) => isHealthy(agent) || undefined, stage.soonMs)
        return healthy === undefined ? differs('unhealthy until the Collector says something new') : ok('healthy')
      },
    },
    {
      id: 'settings-status',
      title: 'The server is told that the settings were adopted',
      stock: 'not supported',
      reason: 'ReportsConnectionSettingsStatus is part of ours; v0.149.0 has no such status',
      run: async (stage) => {
        const { second, subject } = await withTwoPeers(stage)
        const told = await second.within(subject.uid, (agent) => settingsStatus(agent)?.status === APPLIED, stage.soonMs)
        return told === undefined ? notSupported('no status') : ok('APPLIED')
      },
    },
    {
      id: 'settings-persist',
      title: 'Adopted settings survive a restart',
      stock: 'differs',
      reason: 'Adopted settings are stored, with mode 0600',
      run: async (stage) => {
        const { first, second, subject } = await withTwoPeers(stage)
        await first.until(subject.uid, (agent) => agent.connection === undefined, { what: 'gone from the first server' })
        await subject.stop()
        const before = { first: first.agent(subject.uid).connects, second: second.agent(subject.uid).connects }
        await subject.start()
        await Promise.race([
          first.until(subject.uid, (agent) => agent.connects > before.first, { what: 'connected to the first server' }).catch(() => undefined),
          second.until(subject.uid, (agent) => agent.connects > before.second, { what: 'connected to the second server' }).catch(() => undefined),
        ])
        return second.agent(subject.uid).connects > before.second ? ok('on the new endpoint') : differs('back on the endpoint of its file')
      },
    },
    {
      id: 'settings-unreachable',
      title: 'An endpoint where nobody listens: back on the old one in under 30 s, and it says why',
      stock: 'differs',
      reason: proof,
      run: async (stage) => backFrom(stage, { endpoint: `ws://127.0.0.1:${await freePort()}/v1/opamp` }),
    },
    {
      id: 'settings-wrong-certificate',
      title: 'An endpoint with a wrong certificate: back on the old one in under 30 s, and it says why',
      stock: 'differs',
      reason: proof,
      run: async (stage) => {
        const [own, other] = [await createCertificate(stage.folder, 'own'), await createCertificate(stage.folder, 'other')]
        const second = await stage.peer({ tls: own })
        return backFrom(stage, { endpoint: second.url, ca: other.cert })
      },
    },
    {
      id: 'settings-401',
      title: 'An endpoint that answers 401: back on the old one in under 30 s, and it says why',
      stock: 'differs',
      reason: proof,
      run: async (stage) => {
        const second = await stage.peer({ token: 'something else' })
        return backFrom(stage, { endpoint: second.url, token: 'not that' })
      },
    },
    {
      id: 'settings-tls-not-weaker',
      title: 'An offer without a certificate does not switch off the verification of the server',
      stock: 'differs',
      reason: 'TLS is never weaker than before, unless the file says that it may be',
      run: async (stage) => {
        const stranger = await stage.peer({ tls: await createCertificate(stage.folder, 'stranger') })
        return stays(stage, stranger, 'it connects to a server whose certificate nobody vouches for')
      },
    },
    {
      id: 'settings-tls-kept',
      title: 'An offer without TLS is refused while the connection has it',
      stock: 'differs',
      reason: 'TLS is never weaker than before, unless the file says that it may be',
      run: async (stage) => stays(stage, await stage.peer(), 'it sends its token over a connection without TLS'),
    },
    {
      id: 'heartbeat',
      title: 'The interval of heartbeats is taken from the offer',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        const second = await stage.peer()
        peer.offer(subject.uid, opampOffer({ endpoint: second.url, heartbeatSeconds: 1 }))
        await second.until(subject.uid, (agent) => agent.connection !== undefined, { what: 'connected' })
        await second.until(subject.uid, () => second.heartbeats >= 3, { what: 'three heartbeats' })
        return ok('every second')
      },
    },
    {
      id: 'own-telemetry',
      title: "Own-telemetry settings become the Collector's: its logs arrive where the offer says",
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        peer.offer(subject.uid, telemetryOffer(stage.sink.url))
        await peer.until(subject.uid, (agent) => effectiveText(agent).includes(`${stage.sink.url}/v1/logs`), { what: 'in the effective configuration' })
        const body = await stage.sink.untilReceived('logs', subject.uid)
        return body.includes('ready') ? ok('its log lines arrive') : differs('something else arrives')
      },
    },
    {
      id: 'own-telemetry-persists',
      title: 'Own-telemetry settings survive a restart',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        peer.offer(subject.uid, telemetryOffer(stage.sink.url))
        await peer.until(subject.uid, (agent) => effectiveText(agent).includes(`${stage.sink.url}/v1/logs`), { what: 'in the effective configuration' })
        if (peer.agent(subject.uid).capabilities.has('ReportsConnectionSettingsStatus'))
          await peer.until(subject.uid, (agent) => settingsStatus(agent)?.status === APPLIED, { what: 'settings APPLIED' })
        await subject.stop()
        await subject.start()
        await peer.until(subject.uid, (agent) => agent.connects === 2, { what: 'back' })
        await untilHealthy(peer, subject.uid)
        return effectiveText(peer.agent(subject.uid)).includes(`${stage.sink.url}/v1/logs`) ? ok('still in the effective configuration') : differs('forgotten')
      },
    },
    {
      id: 'new-identity',
      title: 'Another instance uid is used at once, by the Collector as well, and kept',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        const pid = await subject.untilCollector()
        const newUid = createInstanceUid(Date.now(), random)
        peer.offer(subject.uid, { newInstanceUid: newUid })
        await peer.until(newUid, (agent) => agent.reports.length > 0, { what: 'a report with the new uid' })
        await until(() => subject.collectors().some((one) => one !== pid), 'another process')
        const isIn = await within(async () => (await subject.fileInStorage('effective.yaml')).includes(newUid), stage.soonMs)
        if (isIn === undefined) return differs('the Collector keeps the old one')
        await subject.stop()
        const connects = peer.agent(newUid).connects
        await subject.start()
        await peer.until(newUid, (agent) => agent.connects > connects, { what: 'back with the new uid' })
        return ok('used at once, by the Collector as well, and after a restart')
      },
    },
    {
      id: 'own-identity',
      title: 'Without agent.instance_id it makes a uid of its own (version 7) and keeps it',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { instance_id: null } } })
        await subject.start()
        const first = await untilSomebody(peer, 1)
        await subject.stop()
        await subject.start()
        await untilSomebody(peer, 2)
        if (peer.agents.length !== 1) return differs('another uid after a restart')
        return /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(first) ? ok('a version 7 uid, the same after a restart') : differs('not version 7')
      },
    },
    {
      id: 'bearer-token-file',
      title: 'server.auth with a bearer token from a file: replaced while it runs, used by the next connection',
      stock: 'not supported',
      reason: 'A feature of newer stock supervisors, there behind a feature gate',
      run: async (stage) => {
        const { writeFile, mkdir } = await import('node:fs/promises')
        const { join } = await import('node:path')
        const file = join(stage.folder, 'token')
        await mkdir(stage.folder, { recursive: true })
        await writeFile(file, 'one', { mode: 0o600 })
        const peer = await stage.peer()
        const auth = { extensions: { bearertokenauth: { scheme: 'Bearer', filename: file } }, server: { auth: 'bearertokenauth' } }
        const subject = stage.subject({ endpoint: peer.url, settings: auth })
        await subject.start()
        const isUp = await Promise.race([untilHealthy(peer, subject.uid), subject.child.ended])
        if (isUp !== true) return notSupported('refuses to start: unknown keys')
        await writeFile(file, 'two', { mode: 0o600 })
        await peer.close()
        await peer.listen()
        await peer.until(subject.uid, (agent) => agent.connects === 2 && agent.connection !== undefined, { what: 'back' })
        const used = peer.requests.map(({ authorization }) => authorization)
        return used[0] === 'Bearer one' && used.at(-1) === 'Bearer two' ? ok('the new token is used') : differs(`used ${used.join()}`)
      },
    },
  ],
}

async function untilSomebody(peer: OpampPeer, connects: number): Promise<string> {
  const found = await until(() => peer.agents.find((agent) => agent.connects >= connects && agent.status.health?.healthy === true), `connection ${connects}`)
  return found.uid
}
