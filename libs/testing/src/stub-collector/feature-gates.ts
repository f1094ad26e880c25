/** The feature gates that the stub knows. Those not listed are refused, as the real Collector does. */
export interface FeatureGate {
  readonly id: string
  readonly enabled: boolean
  readonly stage: 'Alpha' | 'Beta' | 'Stable'
  readonly description: string
}

export const allowNoPipelines = 'service.AllowNoPipelines'

export const featureGates: readonly FeatureGate[] = [
  { id: 'extension.opampextension.RemoteRestarts', enabled: false, stage: 'Alpha', description: 'Restart by command of the OpAMP server.' },
  { id: allowNoPipelines, enabled: false, stage: 'Alpha', description: 'Start without any pipelines.' },
  { id: 'telemetry.UseLocalHostAsDefaultMetricsAddress', enabled: true, stage: 'Beta', description: 'Serve own metrics on localhost.' },
]
