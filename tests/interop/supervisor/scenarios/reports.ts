/** What the server is told. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from '@bufbuild/protobuf'
import type { AgentDetail } from '@drover/api'
import { CustomMessageSchema } from '@drover/protocol'
import { attributesOf, effectiveText } from '../opamp-peer.ts'
import { differs, notSupported, ok } from '../scenario.ts'
import type { Chapter } from '../scenario.ts'
import { assignTo, expectTelemetry, idle, isUpAt, running, runningLocally, stubbed, untilAgentAt, untilApplied, untilHealthy } from '../steps.ts'

const allOff = {
  accepts_remote_config: false,
  reports_remote_config: false,
  accepts_restart_command: false,
  accepts_opamp_connection_settings: false,
  reports_effective_config: false,
  reports_health: false,
  reports_own_metrics: false,
  reports_own_logs: false,
  reports_own_traces: false,
  reports_available_components: false,
  reports_heartbeat: false,
}

export const reports: Chapter = {
  title: 'Reports',
  scenarios: [
    {
      id: 'identity-of-the-collector',
      title: 'Name, version, host and system of the Collector are known from the first report on',
      shows: '[AD-04] [AD-05] [GL-01] [GL-03]',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        const agent = await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        const known = agent.serviceName === 'otelcol' && agent.serviceVersion === '0.149.0' && agent.osType === 'linux' && agent.hostName !== null
        if (agent.identifyingAttributes['service.instance.id'] !== subject.uid) return differs('another service.instance.id')
        return known && agent.instanceUid === subject.uid ? ok('known') : differs('something is missing')
      },
    },
    {
      id: 'health-tree',
      title: 'The health of each pipeline and component is shown',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        await assignTo(stage.server, subject.uid, `idle-${subject.uid}`, idle())
        const namesOf = (agent: AgentDetail) => agent.health?.children.map(({ name }) => name) ?? []
        const agent = await untilAgentAt(stage.server, subject.uid, 'a pipeline', (one) => isUpAt(one) && namesOf(one).includes('pipeline:logs'))
        return namesOf(agent).includes('extensions') ? ok('pipelines and extensions') : differs(namesOf(agent).join())
      },
    },
    {
      id: 'effective-config',
      title: 'The effective configuration is what the Collector resolved, under the empty name',
      shows: '[RC-04] [RC-13] [RC-14]',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        await untilAgentAt(stage.server, subject.uid, 'up', isUpAt)
        const look = async () => {
          const { files } = (await stage.server.api.getEffectiveConfig({ params: { agentId: subject.uid } })).data
          return files.length === 1 && files[0]?.name === '' && /level: none/i.test(files[0].body) ? true : undefined
        }
        await stage.server.until(look, { what: "the Collector's own word, with the properties of its command line" })
        return ok('with the properties of its command line')
      },
    },
    {
      id: 'components',
      title: 'The components that the Collector contains are listed',
      collectors: ['stub', 'real'],
      run: async (stage) => {
        const subject = await stage.subjectAtServer()
        await subject.start()
        const agent = await untilAgentAt(stage.server, subject.uid, 'components', (one) => one.components?.complete === true)
        const has = agent.components?.items.some(({ kind, type }) => kind === 'exporter' && type === 'debug')
        return has === true ? ok('a hash first, the list on request') : differs('incomplete')
      },
    },
    {
      id: 'capabilities-on',
      title: 'Each capability of the file is announced, and only those',
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        const names = peer.agent(subject.uid).capabilities.names()
        const expected = [
          'ReportsStatus',
          'AcceptsRemoteConfig',
          'ReportsEffectiveConfig',
          'ReportsOwnTraces',
          'ReportsOwnMetrics',
          'ReportsOwnLogs',
          'AcceptsOpAMPConnectionSettings',
          'AcceptsRestartCommand',
          'ReportsHealth',
          'ReportsRemoteConfig',
          'ReportsHeartbeat',
          'ReportsAvailableComponents',
        ]
        const missing = expected.filter((name) => !(names as readonly string[]).includes(name))
        const more = names.filter((name) => !expected.includes(name) && name !== 'ReportsConnectionSettingsStatus')
        return missing.length === 0 && more.length === 0 ? ok('all of them') : differs(`missing ${missing.join()}, too many ${more.join()}`)
      },
    },
    {
      id: 'capabilities-off',
      title: 'With everything off only the status is announced, and nothing that is off is done',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { capabilities: allOff } })
        await subject.start()
        await peer.until(subject.uid, (agent) => agent.connection !== undefined, { what: 'connected' })
        const names = peer
          .agent(subject.uid)
          .capabilities.names()
          .filter((name) => name !== 'ReportsConnectionSettingsStatus')
        return names.join() === 'ReportsStatus' ? ok('ReportsStatus') : differs(names.join())
      },
    },
    {
      id: 'package-capabilities',
      title: 'Capabilities for packages, which do not work yet, are refused at the start',
      run: async (stage) => {
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { capabilities: { accepts_packages: true } } })
        await subject.start()
        const how = await Promise.race([subject.child.ended, untilHealthy(peer, subject.uid)])
        return how === 'exit code 1' ? ok('refuses to start') : differs(`${how}`)
      },
    },
    {
      id: 'description-overrides',
      title: 'Attributes of the file override those of the Collector',
      run: async (stage) => {
        const peer = await stage.peer()
        const description = { identifying_attributes: { 'service.name': 'edge' }, non_identifying_attributes: { 'host.name': 'renamed', site: 'ber' } }
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { description } } })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        const attributes = attributesOf(peer.agent(subject.uid))
        const has = attributes.get('service.name') === 'edge' && attributes.get('host.name') === 'renamed' && attributes.get('site') === 'ber'
        return has && attributes.get('os.type') === 'linux' ? ok('overridden and added; the rest is kept') : differs('otherwise')
      },
    },
    {
      id: 'resource-attributes',
      title: "include_resource_attributes: the Collector's resource attributes are in the description",
      stock: 'not supported',
      reason: 'A key of newer stock supervisors',
      run: async (stage) => {
        const peer = await stage.peer()
        const agent = {
          description: { include_resource_attributes: true },
          args: ['--set=service::telemetry::metrics::level=none', '--set=service::telemetry::resource::deployment.environment.name=staging'],
        }
        const subject = stage.subject({ endpoint: peer.url, settings: { agent } })
        await subject.start()
        const isUp = await Promise.race([untilHealthy(peer, subject.uid), subject.child.ended])
        if (isUp !== true) return notSupported('refuses to start: unknown key')
        const has = attributesOf(peer.agent(subject.uid)).get('deployment.environment.name') === 'staging'
        return has ? ok('in the description') : differs('not in the description')
      },
    },
    {
      id: 'later-description',
      title: 'A description that the Collector changes later reaches the server',
      stock: 'differs',
      reason: 'Every report of the Collector is passed on (newer stock supervisors do so, too)',
      run: async (stage) => {
        const { peer, subject } = await running(stage)
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': stubbed({ later_note: 'changed' }) })
        await untilApplied(peer, subject.uid, hash)
        const has = await peer.within(subject.uid, (agent) => attributesOf(agent).get('stub.note') === 'changed', stage.soonMs)
        return has === undefined ? differs('it is kept back') : ok('passed on')
      },
    },
    {
      id: 'flapping-health',
      title: 'Each change of health reaches the server',
      run: async (stage) => {
        const local = join(stage.folder, 'local.yaml')
        await mkdir(stage.folder, { recursive: true })
        await writeFile(local, stubbed({ flap_every_ms: 300 }))
        const peer = await stage.peer()
        const subject = stage.subject({ endpoint: peer.url, settings: { agent: { config_files: [local] } } })
        await subject.start()
        const turns = () => peer.agent(subject.uid).reports.filter((one) => one.health?.lastError === 'flapping').length
        await peer.until(subject.uid, () => turns() >= 2, { what: 'two turns' })
        return ok('passed on')
      },
    },
    {
      id: 'custom-messages',
      title: 'Custom capabilities and messages go through, both ways',
      run: async (stage) => {
        const capability = 'org.example.stub'
        const peer = await stage.peer({ customCapabilities: [capability] })
        const subject = stage.subject({ endpoint: peer.url })
        await subject.start()
        await untilHealthy(peer, subject.uid)
        const hash = peer.offerConfig(subject.uid, { 'a.yaml': stubbed({ custom_capability: capability, custom_messages: 2 }) })
        await untilApplied(peer, subject.uid, hash)
        await peer.until(subject.uid, (agent) => agent.customMessages.filter(({ type }) => type === 'notice').length === 2, { what: 'two messages' })
        if (peer.agent(subject.uid).status.customCapabilities?.capabilities.includes(capability) !== true) return differs('the capability is not announced')
        const data = new TextEncoder().encode('42')
        peer.offer(subject.uid, { customMessage: create(CustomMessageSchema, { capability, type: 'question', data }) })
        await peer.until(subject.uid, (agent) => agent.customMessages.some(({ type }) => type === 'echo'), { what: 'the answer' })
        return ok('both ways')
      },
    },
    {
      id: 'status-after-restart',
      title: 'After a restart the status of the last configuration is in the first report',
      run: async (stage) => {
        const { peer, subject, port, hash } = await running(stage)
        await subject.stop()
        const before = peer.agent(subject.uid).reports.length
        await subject.start()
        await peer.until(subject.uid, (agent) => agent.connects === 2, { what: 'back' })
        const first = peer.agent(subject.uid).reports[before]
        const told = first?.remoteConfigStatus?.lastRemoteConfigHash
        await untilHealthy(peer, subject.uid)
        await expectTelemetry(stage, port)
        return told !== undefined && Buffer.from(told).toString('hex') === hash ? ok('in the first report') : differs('not in the first report')
      },
    },
    {
      id: 'own-attributes',
      title: "The Collector's own logs are JSON, and its own telemetry carries the attributes of its description",
      run: async (stage) => {
        const { peer, subject } = await runningLocally(stage)
        const text = effectiveText(peer.agent(subject.uid))
        return /encoding: "?json/.test(text) && text.includes(`service.instance.id`) ? ok('in the effective configuration') : differs('missing')
      },
    },
  ],
}
