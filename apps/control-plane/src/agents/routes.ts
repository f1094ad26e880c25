/** REST routes of agents and attempts. */
import { agentRoutes } from '@drover/api'
import type { Attempt } from '@drover/api'
import { SelectorError, parseSelector } from '@drover/fleet'
import type { Selector } from '@drover/fleet'
import type { BindRoute } from '../http/bind-route.ts'
import { InvalidInputError, NotFoundError } from '../http/errors.ts'
import { decodeCursor, encodeCursor, toPage } from '../http/paging.ts'
import type { Row } from '../storage/schema.ts'
import type { ReadStore } from '../storage/store.ts'
import { chooser, countChosen, listAgents } from './agent-list.ts'
import { isoTime, summaryOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Commands } from './commands.ts'
import type { Details } from './details.ts'
import type { History } from './history.ts'
import type { Registry } from './registry.ts'
import type { AgentStore } from './store.ts'

export interface AgentRoutesOptions {
  readonly read: ReadStore
  readonly agentStore: AgentStore
  readonly registry: Registry
  readonly details: Details
  readonly commands: Commands
  readonly history: History
  readonly lastSeen: (record: AgentRecord) => number | null
}

export function bindAgentRoutes(bind: BindRoute, options: AgentRoutesOptions): void {
  bindReading(bind, options)
  bindAttempts(bind, options)
  bindCommands(bind, options)
}

function bindReading(bind: BindRoute, { registry, details, history, lastSeen }: AgentRoutesOptions): void {
  bind(agentRoutes.listAgents, async ({ query }) => {
    const { filter, state, search, sort, limit, cursor } = query
    const page = await listAgents(registry, lastSeen, {
      sort,
      limit,
      ...(filter === undefined ? {} : { filter: parseFilter(filter) }),
      ...(state === undefined ? {} : { state }),
      ...(search === undefined ? {} : { search }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    return { data: { items: page.records.map((record) => summaryOf(record, lastSeen(record))), nextCursor: page.nextCursor, total: page.total } }
  })
  bind(agentRoutes.countAgents, ({ query }) => {
    if (query.filter === undefined) return { data: registry.counts() }
    return { data: countChosen(registry, chooser(parseFilter(query.filter))) }
  })
  bind(agentRoutes.agentHistory, () => ({
    data: { intervalSeconds: history.intervalMs / 1000, samples: history.samples().map((sample) => ({ ...sample, at: isoTime(sample.at) })) },
  }))
  bind(agentRoutes.listAttributeKeys, () => ({ data: { items: registry.catalogue.entries().map((entry) => ({ ...entry })) } }))
  bind(agentRoutes.getAgent, async ({ params }) => {
    const record = findAgent(registry, params.agentId)
    return { data: await details.detail(record), etag: String(record.edit) }
  })
  bind(agentRoutes.getEffectiveConfig, async ({ params }) => ({ data: await details.effective(findAgent(registry, params.agentId)) }))
  bind(agentRoutes.getDesiredConfig, async ({ params }) => ({ data: await details.desired(findAgent(registry, params.agentId)) }))
}

function bindAttempts(bind: BindRoute, { registry, read, agentStore }: AgentRoutesOptions): void {
  const page = async (
    wanted: { agentId?: string; state?: Row<'attempts'>['state']; hash?: string },
    { cursor, limit }: { cursor?: string | undefined; limit: number },
  ) => {
    await agentStore.flush().catch(() => {})
    const before = decodeCursor(cursor, 1)?.[0]
    let query = read.selectFrom('attempts')
    if (wanted.agentId !== undefined) query = query.where('agent_id', '=', wanted.agentId)
    if (wanted.state !== undefined) query = query.where('state', '=', wanted.state)
    if (wanted.hash !== undefined) query = query.where('hash', '=', wanted.hash)
    const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
    const older = before === undefined ? query : query.where('id', '<', Number(before))
    const rows = await older
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
    return {
      data: toPage(
        rows,
        limit,
        total,
        (row) => showAttempt(registry, row),
        (row) => encodeCursor(row.id),
      ),
    }
  }
  bind(agentRoutes.listAgentAttempts, ({ params, query }) => page({ agentId: findAgent(registry, params.agentId).id }, query))
  bind(agentRoutes.listAttempts, ({ query }) =>
    page({ ...(query.state === undefined ? {} : { state: query.state }), ...(query.hash === undefined ? {} : { hash: query.hash }) }, query),
  )
}

function bindCommands(bind: BindRoute, { registry, details, commands }: AgentRoutesOptions): void {
  bind(agentRoutes.retryAgent, async ({ params, caller }) => ({ data: { hash: await commands.retry(findAgent(registry, params.agentId), caller.name) } }))
  bind(agentRoutes.setLabels, async ({ params, body, ifMatch, caller }) => {
    const record = findAgent(registry, params.agentId)
    await commands.setLabels(record, body.labels, ifMatch, () => details.detail(record), caller.name)
    return { data: await details.detail(record), etag: String(record.edit) }
  })
  bind(agentRoutes.restartAgent, async ({ params, caller }) => ({
    data: { delivery: await commands.restart(findAgent(registry, params.agentId), caller.name) },
  }))
  bind(agentRoutes.forgetAgent, async ({ params, caller }) => {
    await commands.forget(findAgent(registry, params.agentId), caller.name)
    return { data: undefined }
  })
}

function findAgent(registry: Registry, idOrUid: string): AgentRecord {
  const record = registry.find(idOrUid)
  if (record === undefined) throw new NotFoundError('agent', idOrUid)
  return record
}

function parseFilter(text: string): Selector {
  try {
    return parseSelector(text, 'filter')
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error
    throw new InvalidInputError(`the filter cannot be read at character ${error.column}: ${error.message}`, [{ field: 'query.filter', message: error.message }])
  }
}

function showAttempt(registry: Registry, row: Row<'attempts'>): Attempt {
  return {
    id: row.id,
    agentId: row.agent_id,
    agentName: registry.byId(row.agent_id)?.name ?? row.agent_id,
    hash: row.hash,
    source: row.source,
    state: row.state,
    reason: row.reason,
    errorMessage: row.error_message,
    offeredAt: isoTime(row.offered_at),
    updatedAt: isoTime(row.updated_at),
  }
}
