/** Connection settings offers: what must be in one, and what of one an agent may get. */
import type { AgentCapability, CapabilitySet, ConnectionSettingsOffers, ProxyConnectionSettings, TLSCertificate } from '@drover/protocol'

type Telemetry = ConnectionSettingsOffers['ownMetrics']

/**
 * Throws a TypeError for an offer that the specification forbids. Agents react badly to those: one without an endpoint is
 * refused or, worse, half applied.
 */
export function assertConnectionSettings(offers: ConnectionSettingsOffers): void {
  if (offers.hash.length === 0) throw new TypeError('connection settings need a hash')
  if (offers.opamp !== undefined) {
    assertUrl('opamp.destination_endpoint', offers.opamp.destinationEndpoint, ['ws:', 'wss:', 'http:', 'https:'])
    assertCertificate('opamp.certificate', offers.opamp.certificate)
    assertProxy('opamp.proxy', offers.opamp.proxy)
  }
  assertTelemetry('own_metrics', offers.ownMetrics)
  assertTelemetry('own_traces', offers.ownTraces)
  assertTelemetry('own_logs', offers.ownLogs)
  for (const connection of Object.values(offers.otherConnections)) {
    assertCertificate('other_connections.certificate', connection.certificate)
    assertProxy('other_connections.proxy', connection.proxy)
  }
}

function assertTelemetry(field: string, settings: Telemetry): void {
  if (settings === undefined) return
  assertUrl(`${field}.destination_endpoint`, settings.destinationEndpoint, ['http:', 'https:'])
  assertCertificate(`${field}.certificate`, settings.certificate)
  assertProxy(`${field}.proxy`, settings.proxy)
}

function assertUrl(field: string, text: string, protocols: readonly string[]): void {
  const url = URL.parse(text)
  if (url === null || !protocols.includes(url.protocol)) throw new TypeError(`${field} must be a URL with ${protocols.join(' ')}`)
}

function assertProxy(field: string, proxy: ProxyConnectionSettings | undefined): void {
  if (proxy !== undefined && proxy.url === '') throw new TypeError(`${field}.url must not be empty`)
}

/** The private key is the agent's own when it asked by a signing request, so it may be absent. */
function assertCertificate(field: string, certificate: TLSCertificate | undefined): void {
  if (certificate === undefined) return
  const text = new TextDecoder()
  for (const [part, pem] of [
    ['cert', certificate.cert],
    ['private_key', certificate.privateKey],
    ['ca_cert', certificate.caCert],
  ] as const) {
    if (pem.length > 0 && !text.decode(pem).includes('-----BEGIN ')) throw new TypeError(`${field}.${part} must be PEM`)
  }
  if (certificate.privateKey.length > 0 && certificate.cert.length === 0) throw new TypeError(`${field}.private_key needs a certificate`)
}

/** The part of the offer that the agent accepts, `undefined` when that is nothing. The hash stays: it stands for the whole. */
export function acceptedSettings(offers: ConnectionSettingsOffers, agent: CapabilitySet<AgentCapability>): ConnectionSettingsOffers | undefined {
  const { opamp, ownMetrics, ownTraces, ownLogs, otherConnections, ...rest } = offers
  const others = agent.has('AcceptsOtherConnectionSettings') ? otherConnections : {}
  const accepted: ConnectionSettingsOffers = {
    ...rest,
    ...(opamp !== undefined && agent.has('AcceptsOpAMPConnectionSettings') ? { opamp } : {}),
    ...(ownMetrics !== undefined && agent.has('ReportsOwnMetrics') ? { ownMetrics } : {}),
    ...(ownTraces !== undefined && agent.has('ReportsOwnTraces') ? { ownTraces } : {}),
    ...(ownLogs !== undefined && agent.has('ReportsOwnLogs') ? { ownLogs } : {}),
    otherConnections: others,
  }
  const isEmpty = !accepted.opamp && !accepted.ownMetrics && !accepted.ownTraces && !accepted.ownLogs && Object.keys(others).length === 0
  return isEmpty ? undefined : accepted
}
