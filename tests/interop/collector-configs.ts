/** Collector configurations of the scenarios. */

/** Takes OTLP over HTTP at `port` and sends logs on to `sinkUrl`, as JSON so that a test can read it. */
export function forwardLogs(port: number, sinkUrl: string, extra = ''): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
  otlphttp/out:
    endpoint: ${sinkUrl}
    encoding: json
    compression: none
${extra}service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [otlphttp/out]
`
}

/** Structurally fine, and the Collector refuses it at start: the address is not this machine's. */
export function refusedByCollector(): string {
  return `receivers:
  otlp:
    protocols:
      http:
        endpoint: 203.0.113.1:4318
exporters:
  debug: {}
service:
  pipelines:
    logs:
      receivers: [otlp]
      exporters: [debug]
`
}

/** Sends one log line to the Collector, as an instrumented program would; throws when it is not taken. */
export async function sendLogLine(port: number, text: string): Promise<void> {
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: `${Date.now()}000000`, body: { stringValue: text } }] }] }] }
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`the Collector answered ${response.status}: ${await response.text()}`)
}
