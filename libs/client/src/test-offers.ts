/** For the tests of offered connection settings: offers, and what the agent says about them. */
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { AgentCapability, AgentToServer, ConnectionSettingsOffersSchema } from '@drover/protocol'
import type { ClientStore } from './store.ts'
import { memoryStore } from './stores/memory-store.ts'
import type { RawConnection } from './test-peers.ts'

export const capabilities: readonly AgentCapability[] = [
  'AcceptsOpAMPConnectionSettings',
  'ReportsConnectionSettingsStatus',
  'ReportsHeartbeat',
  'ReportsOwnMetrics',
]
type Opamp = NonNullable<MessageInitShape<typeof ConnectionSettingsOffersSchema>['opamp']>

export const offerOf = (hash: number, endpoint: string, more: Opamp = {}) => ({
  connectionSettings: { hash: Uint8Array.of(hash), opamp: { destinationEndpoint: endpoint, heartbeatIntervalSeconds: 30n, ...more } },
})
export const statusOf = ({ connectionSettingsStatus }: AgentToServer) =>
  connectionSettingsStatus && [connectionSettingsStatus.lastConnectionSettingsHash[0], connectionSettingsStatus.status]

/** Outlives the client, as a folder would. */
export const durableStore = (): ClientStore => ({ ...memoryStore(), isDurable: true })

/** The next message with a settings status, each answered. */
export async function nextStatus(connection: RawConnection): Promise<AgentToServer> {
  for (;;) {
    const message = await connection.answer()
    if (message.connectionSettingsStatus !== undefined) return message
  }
}
