/** Every route of the REST API, by id. */
import { accessRoutes } from './access.ts'
import { agentRoutes } from './agents.ts'
import { configRoutes } from './configs.ts'
import { eventRoutes } from './events.ts'
import { groupRoutes } from './groups.ts'
import { systemRoutes } from './system.ts'

export const routes = { ...agentRoutes, ...configRoutes, ...groupRoutes, ...eventRoutes, ...accessRoutes, ...systemRoutes } as const
export type Routes = typeof routes
export type RouteId = keyof Routes
/** All routes live below this path. */
export const API_PREFIX = '/api/v1'
