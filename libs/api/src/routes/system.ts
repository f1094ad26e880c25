/** The server itself. */
import { z } from 'zod'
import { Timestamp } from '../common.ts'
import { defineRoute } from '../route.ts'
import { AgentCounts } from './agents.ts'

export const Status = z
  .object({
    version: z.string(),
    startedAt: Timestamp,
    uptimeSeconds: z.number(),
    /** Where agents connect, e.g. `ws://127.0.0.1:4320/v1/opamp`. */
    agentsEndpoint: z.string(),
    agents: AgentCounts,
    configs: z.number().int(),
    groups: z.number().int(),
    /** The newest event's id. */
    lastEventId: z.number().int(),
    store: z.object({
      kind: z.literal('sqlite'),
      schemaVersion: z.number().int(),
      bytes: z.number().int(),
      state: z.enum(['ok', 'read-only']),
      detail: z.string().nullable(),
    }),
    residentBytes: z.number().int(),
    demoAgents: z.number().int(),
  })
  .meta({ id: 'Status' })
export type Status = z.output<typeof Status>

export const systemRoutes = {
  getStatus: defineRoute({ id: 'getStatus', method: 'GET', path: '/status', tag: 'system', access: 'read', summary: 'How the server is', response: Status }),
  getOpenApi: defineRoute({
    id: 'getOpenApi',
    method: 'GET',
    path: '/openapi.json',
    tag: 'system',
    access: 'public',
    summary: 'This API as OpenAPI 3.1',
    response: z.record(z.string(), z.unknown()),
  }),
}
