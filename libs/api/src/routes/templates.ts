/** Templates: configurations to begin from, each checked with a real Collector. */
import { z } from 'zod'
import { ConfigFile } from '../common.ts'
import { defineRoute } from '../route.ts'

export const Template = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    category: z.enum(['gateway', 'host', 'kubernetes', 'logs', 'metrics', 'traces']),
    /** A fragment leans on another config. */
    fragment: z.boolean(),
    components: z.array(z.object({ kind: z.string(), type: z.string() })),
    /** What to set in the group before it works. */
    variables: z.array(z.object({ name: z.string(), description: z.string(), example: z.string() })),
    secrets: z.array(z.object({ name: z.string(), description: z.string() })),
    files: z.array(ConfigFile),
  })
  .meta({ id: 'Template' })
export type Template = z.output<typeof Template>

export const templateRoutes = {
  listTemplates: defineRoute({
    id: 'listTemplates',
    method: 'GET',
    path: '/templates',
    tag: 'configs',
    access: 'read',
    summary: 'Configurations to begin from',
    response: z.object({ items: z.array(Template) }),
  }),
}
