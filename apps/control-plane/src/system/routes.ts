/** How the server is, and its API as OpenAPI. */
import { createOpenApi, systemRoutes } from '@drover/api'
import type { Status } from '@drover/api'
import type { EventLog } from '../events/event-log.ts'
import type { BindRoute } from '../http/bind-route.ts'
import type { Store } from '../storage/store.ts'
import { programVersion } from './version.ts'

export interface SystemRoutesOptions {
  readonly store: Store
  readonly events: EventLog
  readonly clock: { now(): number }
  readonly counts: () => Status['agents']
  readonly agentsEndpoint: () => string
  readonly demoAgents: number
}

export function bindSystemRoutes(bind: BindRoute, { store, events, clock, counts, agentsEndpoint, demoAgents }: SystemRoutesOptions): void {
  const startedAt = clock.now()
  bind(systemRoutes.getStatus, async () => {
    const data: Status = {
      version: programVersion,
      startedAt: new Date(startedAt).toISOString(),
      uptimeSeconds: Math.max(0, (clock.now() - startedAt) / 1000),
      agentsEndpoint: agentsEndpoint(),
      agents: counts(),
      configs: await countRows(store, 'configs'),
      groups: await countRows(store, 'groups'),
      lastEventId: events.lastId(),
      store: { kind: 'sqlite', schemaVersion: store.schemaVersion, bytes: store.bytes(), ...store.state() },
      residentBytes: process.memoryUsage.rss(),
      demoAgents,
    }
    return { data }
  })

  const openApi = createOpenApi(programVersion)
  bind(systemRoutes.getOpenApi, () => ({ data: openApi }))
}

async function countRows(store: Store, table: 'configs' | 'groups'): Promise<number> {
  const { count } = await store.read
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
