/** The supervisor's telemetry of itself, received by a real Collector, which happens to be the one that it runs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadSupervisorConfig, startSupervisor } from '@drover/supervisor'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { createTemporaryFolder, freePort, startOtlpSink } from '../harness/index.ts'
import { describeWithPeers } from '../peers/index.ts'

await describeWithPeers("a supervisor's own telemetry", ['collector'], ({ collector }) => {
  it('is understood by a Collector: metrics, log and spans, under the name of the agent [OT-09] [OT-11] [OT-12]', async () => {
    await using folder = await createTemporaryFolder()
    await using sink = await startOtlpSink()
    const port = await freePort()
    const pipeline = { receivers: ['otlp'], exporters: ['otlphttp/out'] }
    await writeFile(
      join(folder.path, 'collector.yaml'),
      stringify({
        receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
        exporters: { 'otlphttp/out': { endpoint: sink.url, encoding: 'json', compression: 'none' } },
        service: { pipelines: { logs: pipeline, metrics: pipeline, traces: pipeline } },
      }),
    )
    const exporter = { otlp: { protocol: 'http/protobuf', endpoint: `http://127.0.0.1:${port}` } }
    const file = join(folder.path, 'supervisor.yaml')
    await writeFile(
      file,
      stringify({
        // Nobody is there: telemetry does not depend on the Server.
        server: { endpoint: `ws://127.0.0.1:${await freePort()}/v1/opamp` },
        agent: {
          executable: collector,
          args: ['--set=service::telemetry::metrics::level=none'],
          config_files: [join(folder.path, 'collector.yaml')],
          bootstrap_timeout: '30s',
        },
        storage: { directory: join(folder.path, 'storage') },
        telemetry: {
          logs: { output_paths: [join(folder.path, 'supervisor.log')], processors: [{ batch: { exporter } }] },
          metrics: { readers: [{ periodic: { exporter } }] },
          traces: { processors: [{ batch: { exporter } }] },
        },
      }),
    )
    await using supervisor = await startSupervisor(loadSupervisorConfig(file, {}), { env: {} })
    const metrics = await sink.untilReceived('metrics', 'process.memory.usage')
    expect(metrics).toContain('process.cpu.time')
    expect(metrics).toContain(supervisor.status.instanceUid)
    expect(metrics).toContain('"otelcol"')
    const logs = await sink.untilReceived('logs', 'Agent started')
    expect(logs).toContain('"severityText":"INFO"')
    const spans = await sink.untilReceived('traces', 'GetBootstrapInfo')
    expect(spans).toContain('"name":"GetBootstrapInfo","kind":1')
  })
})
