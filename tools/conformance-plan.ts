/** What the conformance page cannot learn from test names: whose side a test shows, what is later, what holds by design, which capability rests on what. */

/** Which side of the protocol a duty or a proof belongs to. */
export type Side = 'server' | 'client'

/** What there is to say about one side. */
export interface SidePlan {
  /** Requirements whose feature does not exist here yet, by the start of their ids. The capability bits of these features are not advertised. */
  readonly later: readonly { readonly prefix: string; readonly reason: string }[]
  /** Requirements that no test can show, and where the code keeps them. */
  readonly byDesign: Readonly<Record<string, string>>
  /** What we do otherwise than recommended, on purpose. */
  readonly departures: Readonly<Record<string, string>>
  /** Capabilities: on what requirements the promise rests. A capability without requirements is not advertised. */
  readonly capabilityDuties: Readonly<Record<string, readonly string[]>>
  /** Where the programs say what they advertise; the groups hold the names. */
  readonly advertisedIn: { readonly folder: string; readonly pattern: RegExp }
}

/** Whose duties a test can show, by the start of its file's path; the first that fits decides. */
export const provenSides: readonly { readonly path: string; readonly sides: readonly Side[] }[] = [
  // Both sides run the same code.
  { path: 'libs/protocol/', sides: ['server', 'client'] },
  { path: 'libs/agent-config/', sides: ['server', 'client'] },
  { path: 'tests/conformance/descriptors/', sides: ['server', 'client'] },
  { path: 'libs/client/', sides: ['client'] },
  { path: 'apps/supervisor/', sides: ['client'] },
  { path: 'tests/conformance/client-', sides: ['client'] },
  { path: 'tests/runtimes/', sides: ['client'] },
  { path: 'tests/interop/supervisor/', sides: ['client'] },
  { path: 'tests/interop/supervisor-telemetry', sides: ['client'] },
  // A scripted agent or a stub of a Collector is nobody's promise.
  { path: 'libs/testing/', sides: [] },
  { path: '', sides: ['server'] },
]

const noPackages = 'packages are not offered yet'
const noSettings = 'settings of the OpAMP connection itself are not offered yet, nor certificates'
const noCertificates = 'certificates are not issued yet; agents use enrolment tokens'

const server: SidePlan = {
  later: [
    { prefix: 'PS-', reason: noPackages },
    { prefix: 'P-', reason: noPackages },
    { prefix: 'K-', reason: noSettings },
    { prefix: 'KM-', reason: noSettings },
    { prefix: 'TF-', reason: noCertificates },
    { prefix: 'CSR-', reason: noCertificates },
    { prefix: 'HB-11', reason: 'the interval travels in the settings of the OpAMP connection, which are not offered yet' },
    { prefix: 'SEC-09', reason: noPackages },
    { prefix: 'SEC-11', reason: noPackages },
    { prefix: 'SEC-12', reason: noPackages },
    { prefix: 'GL-07', reason: 'concerns a Collector that forwards, which Drover is not' },
  ],
  byDesign: {
    'HL-03': 'the status text of health is stored and shown, nothing branches on it',
    'HL-06': 'attributes of health carry no meaning here; nothing reads them',
    'RC-11': 'merging with local files is the agent’s own; only offered names are looked at',
    'RC-17': 'SHA-256 over length-prefixed names, types and bodies (libs/protocol/src/hash.ts)',
    'AC-11': 'components and health are stored apart and never joined',
    'CM-07': 'no custom capability is announced',
    'CM-09': 'no custom capability is defined',
    'CN-10': 'nothing looks at keep-alive; liveness comes from reports and polls',
    'IO-05': 'one schema file; beta and development parts are marked in its comments',
    'TH-09': 'the server only announces it; whoever reconnects applies it',
    'AV-03': 'one function turns both forms into the same JSON (libs/protocol/src/any-value.ts)',
  },
  departures: {
    'B-WS-22': 'messages are limited to 4 MiB by default: 64 MiB times many agents is more memory than a server has; the limit can be raised',
    'B-HTTP-34': 'bodies are limited to 4 MiB by default: 64 MiB times many agents is more memory than a server has; the limit can be raised',
    'KM-07': 'own telemetry comes to where agents connect: by `https://` when they connect by TLS; other destinations are as people name them',
  },
  capabilityDuties: {
    AcceptsStatus: ['CAP-10', 'CAP-11', 'ST-05', 'SC-03', 'SC-04', 'SC-05', 'SC-06'],
    OffersRemoteConfig: ['RC-02', 'RC-08', 'RC-09', 'RC-16', 'RC-19'],
    AcceptsEffectiveConfig: ['A2S-10', 'SC-03'],
    OffersPackages: [],
    AcceptsPackagesStatus: [],
    OffersConnectionSettings: ['K-01', 'K-02', 'K-03', 'K-04', 'K-18', 'K-19', 'K-21', 'KM-01', 'OT-02', 'OT-03', 'OT-04'],
    AcceptsConnectionSettingsRequest: [],
  },
  advertisedIn: { folder: 'apps/control-plane/src', pattern: /capabilities:\s*\[([^\]]*)\]|[cC]apabilities[^=\n]*=\s*\[([^\]]*)\]/g },
}

const noInstaller = 'packages cannot be installed yet'

const client: SidePlan = {
  later: [
    { prefix: 'PS-', reason: noInstaller },
    { prefix: 'P-', reason: noInstaller },
    { prefix: 'SEC-10', reason: noInstaller },
    { prefix: 'SEC-11', reason: noInstaller },
    { prefix: 'SEC-13', reason: noInstaller },
    ...['GL-04', 'GL-05', 'GL-06'].map((prefix) => ({ prefix, reason: 'concerns agents inside a user’s own program, which Drover is not' })),
  ],
  byDesign: {
    'GEN-02': 'both transports are there; the scheme of the endpoint chooses',
    'HL-03': 'the status text of health goes through as the Agent wrote it; nothing branches on it',
    'HL-06': 'attributes of health go through as the Agent wrote them',
    'RC-10': 'a configuration is a map by name everywhere (AgentConfigMap)',
    'RC-11': 'remote and local files are merged as the stock supervisor does, whatever their names (libs/agent-config)',
    'AD-03': 'the instance uid is among them, as `service.instance.id`',
    'CSR-19': 'a program that puts the uid into a request is told of a new one by onInstanceUid; the supervisor makes no requests',
    'KM-12': 'other connections are passed on as they came: absent fields stay absent. The supervisor takes none',
    'KM-13': 'other connections are the program’s own; the client keeps nothing of them. The supervisor takes none',
    'KM-14': 'other connections are the program’s own; the client keeps nothing of them. The supervisor takes none',
    'KM-15': 'passed on untouched; the supervisor takes none',
    'CM-05': 'names are given by the program, or by the Collector’s extensions, and go through as they are',
    'CM-07': 'the client announces what its program gives it; the supervisor only what the Collector’s extensions announce, and relays every type',
    'CM-09': 'the client defines no type of message',
    'AC-09': 'metadata of components goes through as the Collector wrote it',
    'CN-10': 'kept connections save handshakes; nothing else depends on them (libs/client/src/transport)',
    'SEC-01':
      'sizes, nesting, headers, addressees, uids, URLs, certificates and redirects are checked before use (libs/client/src/{transport,session,settings,tls})',
    'IO-05': 'one schema file; beta and development parts are marked in its comments',
    'AV-03': 'one function turns both forms into the same JSON (libs/protocol/src/any-value.ts)',
  },
  departures: {
    'ST-03': 'every connection begins with the full state: whether the last messages before a loss arrived is never certain',
    'KM-08': 'an `http://` destination is taken: receivers on the same host have no certificate',
  },
  capabilityDuties: {
    ReportsStatus: ['A2S-01', 'CAP-01', 'CAP-03', 'ST-01', 'ST-02', 'ST-04', 'SC-02', 'S2A-11'],
    AcceptsRemoteConfig: ['RC-01', 'RC-18', 'SEC-08', 'SEC-14'],
    ReportsEffectiveConfig: ['RC-03', 'RC-04', 'A2S-04'],
    AcceptsPackages: [],
    ReportsPackageStatuses: [],
    ReportsOwnTraces: ['OT-01', 'OT-05', 'OT-11', 'OT-12'],
    ReportsOwnMetrics: ['OT-01', 'OT-05', 'OT-07', 'OT-12'],
    ReportsOwnLogs: ['OT-01', 'OT-05', 'OT-11', 'OT-12'],
    AcceptsOpAMPConnectionSettings: ['K-09', 'K-11', 'K-13', 'K-15', 'KM-02', 'KM-03', 'KM-18'],
    AcceptsOtherConnectionSettings: [],
    AcceptsRestartCommand: ['S2A-08'],
    ReportsHealth: ['HL-01', 'HL-02', 'HL-04', 'A2S-03'],
    ReportsRemoteConfig: ['RC-18', 'RC-20', 'A2S-05'],
    ReportsHeartbeat: ['HB-02', 'HB-03', 'HB-04', 'HB-06', 'HB-09', 'HB-12'],
    ReportsAvailableComponents: ['A2S-09', 'AC-01', 'AC-02', 'AC-03', 'AC-06'],
    ReportsConnectionSettingsStatus: ['K-10', 'K-14', 'K-16', 'A2S-07'],
  },
  // The keys of the supervisor's file, and what is added to them.
  advertisedIn: {
    folder: 'apps/supervisor/src/config',
    pattern: /'capabilities\.\w+': ('\w+')|new Set<AgentCapability>\(\[([^\]]*)\]\)|chosen\.add\(('\w+')\)/g,
  },
}

export const sidePlans: Readonly<Record<Side, SidePlan>> = { server, client }
