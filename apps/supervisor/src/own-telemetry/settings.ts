/** Where the agent and its supervisor send their own telemetry, as the Server offered it. */

export interface TelemetryDestination {
  /** Full URL of an OTLP/HTTP receiver, path included. */
  readonly endpoint: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecureSkipVerify?: boolean }
}

/** An absent signal is not exported. */
export interface OwnTelemetry {
  readonly metrics?: TelemetryDestination
  readonly logs?: TelemetryDestination
  readonly traces?: TelemetryDestination
}
