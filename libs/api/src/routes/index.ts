/** Every route of the REST API, by id. */
import { accessRoutes } from './access.ts'
import { agentRoutes } from './agents.ts'
import { configRoutes } from './configs.ts'
import { draftRoutes } from './drafts.ts'
import { eventRoutes } from './events.ts'
import { groupRoutes } from './groups.ts'
import { rolloutRoutes } from './rollouts.ts'
import { secretRoutes } from './secrets.ts'
import { systemRoutes } from './system.ts'
import { telemetryRoutes } from './telemetry.ts'
import { templateRoutes } from './templates.ts'
import { webhookRoutes } from './webhooks.ts'

export const routes = {
  ...agentRoutes,
  ...configRoutes,
  ...draftRoutes,
  ...templateRoutes,
  ...groupRoutes,
  ...rolloutRoutes,
  ...secretRoutes,
  ...telemetryRoutes,
  ...webhookRoutes,
  ...eventRoutes,
  ...accessRoutes,
  ...systemRoutes,
} as const
export type Routes = typeof routes
export type RouteId = keyof Routes
/** All routes live below this path. */
export const API_PREFIX = '/api/v1'
