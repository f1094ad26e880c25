/** What a scripted agent is: host, system, region, components. The same index gives the same agent. */
import { createInstanceUid } from '@drover/protocol'
import type { InstanceUid } from '@drover/protocol'
import { createRandom, randomBytes } from './random.ts'

export interface AgentTraits {
  readonly uid: InstanceUid
  readonly identifying: Readonly<Record<string, string>>
  readonly nonIdentifying: Readonly<Record<string, string | number | boolean>>
  /** Component types by kind, e.g. `receivers` -> `otlp`. */
  readonly components: Readonly<Record<string, readonly string[]>>
}

const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-1']
const ENVIRONMENTS = ['production', 'production', 'production', 'staging', 'development']
const ROLES = ['web', 'api', 'db', 'queue', 'edge', 'batch']
const VERSIONS = ['0.149.0', '0.149.0', '0.148.0', '0.146.1']
const SYSTEMS = [
  { type: 'linux', description: 'Debian GNU/Linux 12 (bookworm)', architecture: 'amd64' },
  { type: 'linux', description: 'Ubuntu 24.04.3 LTS', architecture: 'amd64' },
  { type: 'linux', description: 'Amazon Linux 2023', architecture: 'arm64' },
  { type: 'windows', description: 'Windows Server 2022 Datacenter', architecture: 'amd64' },
]

/** Collectors report a renamed component under both of its names. */
export const coreComponents: Readonly<Record<string, readonly string[]>> = {
  receivers: ['hostmetrics', 'nop', 'otlp'],
  processors: ['batch', 'filter', 'memory_limiter', 'transform'],
  exporters: ['debug', 'nop', 'otlp', 'otlp_grpc', 'otlp_http', 'otlphttp'],
  extensions: ['health_check', 'opamp'],
  connectors: [],
}
const contribComponents: Readonly<Record<string, readonly string[]>> = {
  ...coreComponents,
  receivers: ['file_log', 'filelog', 'hostmetrics', 'kafka', 'nop', 'otlp', 'prometheus'],
  exporters: ['debug', 'kafka', 'nop', 'otlp', 'otlp_grpc', 'otlp_http', 'otlphttp', 'prometheus'],
  connectors: ['count', 'forward', 'spanmetrics'],
}

/** First uid's timestamp; an index adds a millisecond, so uids sort as indices do. */
const UID_EPOCH_MS = Date.UTC(2026, 0, 1)

/** A fleet with some variety: five regions, three environments, six roles, four operating systems, two distributions. */
export function agentTraits(index: number, extra: Readonly<Record<string, string | number | boolean>> = {}): AgentTraits {
  const random = createRandom(index + 1)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]! // the list is not empty
  const uid = createInstanceUid(UID_EPOCH_MS + index, randomBytes(random))
  const [region, environment, role, version, system] = [pick(REGIONS), pick(ENVIRONMENTS), pick(ROLES), pick(VERSIONS), pick(SYSTEMS)]
  const contrib = random() < 0.6
  return {
    uid,
    identifying: { 'service.instance.id': uid, 'service.name': contrib ? 'otelcol-contrib' : 'otelcol', 'service.version': version },
    nonIdentifying: {
      'deployment.environment.name': environment,
      'cloud.region': region,
      'host.arch': system.architecture,
      'host.name': `${role}-${region.replaceAll('-', '')}-${String(index).padStart(5, '0')}`,
      'os.description': system.description,
      'os.type': system.type,
      'service.role': role,
      ...extra,
    },
    components: contrib ? contribComponents : coreComponents,
  }
}
