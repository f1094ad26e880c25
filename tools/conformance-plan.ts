/** What the conformance page cannot learn from test names: what is later, what holds by design, which capability rests on what. */

/** Requirements whose feature does not exist here yet, by the start of their ids. The capability bits of these features are not advertised. */
export const later: readonly { readonly prefix: string; readonly reason: string }[] = [
  { prefix: 'PS-', reason: 'packages are not offered yet' },
  { prefix: 'P-', reason: 'packages are not offered yet' },
  { prefix: 'K-', reason: 'connection settings are not offered yet' },
  { prefix: 'KM-', reason: 'connection settings are not offered yet' },
  { prefix: 'TF-', reason: 'certificates are not issued yet; agents use enrolment tokens' },
  { prefix: 'CSR-', reason: 'certificates are not issued yet; agents use enrolment tokens' },
  { prefix: 'OT-', reason: 'destinations for own telemetry are not offered yet' },
  { prefix: 'HB-11', reason: 'the interval travels in connection settings, which are not offered yet' },
  { prefix: 'SEC-09', reason: 'packages are not offered yet' },
  { prefix: 'SEC-11', reason: 'packages are not offered yet' },
  { prefix: 'SEC-12', reason: 'packages are not offered yet' },
  { prefix: 'GL-07', reason: 'concerns a Collector that forwards, which Drover is not' },
]

/** Requirements that no test can show, and where the code keeps them. */
export const byDesign: Readonly<Record<string, string>> = {
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
}

/** What we do otherwise than recommended, on purpose. */
export const departures: Readonly<Record<string, string>> = {
  'B-WS-22': 'messages are limited to 4 MiB by default: 64 MiB times many agents is more memory than a server has; the limit can be raised',
  'B-HTTP-34': 'bodies are limited to 4 MiB by default: 64 MiB times many agents is more memory than a server has; the limit can be raised',
}

/** Server capabilities: on what requirements the promise rests. A capability without requirements is not advertised. */
export const capabilityDuties: Readonly<Record<string, readonly string[]>> = {
  AcceptsStatus: ['CAP-10', 'CAP-11', 'ST-05', 'SC-03', 'SC-04', 'SC-05', 'SC-06'],
  OffersRemoteConfig: ['RC-02', 'RC-08', 'RC-09', 'RC-16', 'RC-19'],
  AcceptsEffectiveConfig: ['A2S-10', 'SC-03'],
  OffersPackages: [],
  AcceptsPackagesStatus: [],
  OffersConnectionSettings: [],
  AcceptsConnectionSettingsRequest: [],
}

/** Where the control plane says what it advertises. */
export const advertisedIn = { folder: 'apps/control-plane/src', pattern: /capabilities:\s*\[([^\]]*)\]|[cC]apabilities[^=\n]*=\s*\[([^\]]*)\]/g }
