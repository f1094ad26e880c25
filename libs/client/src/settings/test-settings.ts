/** Connection settings for tests. */
import type { ConnectionSettings } from '../client.ts'
import type { Candidate } from './candidate.ts'

export const oldSettings: ConnectionSettings = {
  endpoint: 'wss://old.example/v1/opamp',
  headers: [['Authorization', 'Bearer old']],
  tls: { minVersion: 'TLSv1.2' },
  proxy: { kind: 'environment' },
  heartbeatIntervalSeconds: 30,
}

export const newSettings: ConnectionSettings = { ...oldSettings, endpoint: 'wss://new.example/v1/opamp', heartbeatIntervalSeconds: 10 }
export const otherSettings: ConnectionSettings = { ...oldSettings, endpoint: 'https://third.example' }

export function candidate(hash: string, settings = newSettings, hasRest = false): Candidate {
  return { hash, settings, hasRest }
}
