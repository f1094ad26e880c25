/**
 * An agent on the client, for other runtimes than the one the tests run in: `agent.ts <endpoint> <store folder> [<CA file>]`. Takes any
 * configuration, reports it as applied, and says goodbye at SIGTERM.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { create } from '@bufbuild/protobuf'
import { folderStore, openOpampClient } from '@drover/client'
import { AgentDescriptionSchema, EffectiveConfigSchema, RemoteConfigStatusSchema, RemoteConfigStatuses, keyValues } from '@drover/protocol'

const [endpoint = '', folder = '', caFile] = process.argv.slice(2)

const client = await openOpampClient({
  settings: {
    endpoint,
    headers: [['Authorization', 'Bearer secret']],
    tls: caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') },
    proxy: { kind: 'none' },
    heartbeatIntervalSeconds: 30,
  },
  capabilities: ['AcceptsRemoteConfig', 'ReportsRemoteConfig', 'ReportsEffectiveConfig'],
  store: folderStore(folder),
  handler: {
    onRemoteConfig: (offer) => {
      const configMap = offer.config?.configMap ?? {}
      client.setEffectiveConfig(create(EffectiveConfigSchema, { configMap: { configMap } }))
      const status = RemoteConfigStatuses.RemoteConfigStatuses_APPLIED
      client.setRemoteConfigStatus(create(RemoteConfigStatusSchema, { lastRemoteConfigHash: offer.configHash, status }))
    },
    onConnectionStatus: ({ state }) => process.stdout.write(`${state}\n`),
  },
})
client.setAgentDescription(
  create(AgentDescriptionSchema, { identifyingAttributes: keyValues({ 'service.name': 'runtime', 'process.runtime.version': process.version }) }),
)
client.start()
process.once('SIGTERM', () => void client.stop())
