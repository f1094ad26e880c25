/** OpenAPI 3.1 made from the routes. */
import { z } from 'zod'
import { Problem } from './common.ts'
import type { AnyRoute } from './route.ts'
import { API_PREFIX, routes } from './routes/index.ts'

/** The whole document; `version` is the server's. */
export function createOpenApi(version: string): Record<string, unknown> {
  const components: Record<string, unknown> = {}
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of Object.values(routes) as AnyRoute[]) {
    const path = API_PREFIX + route.path
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route, components)
  }
  jsonSchema(Problem, 'output', components)
  return {
    openapi: '3.1.0',
    info: { title: 'Drover', version, description: 'Control plane for fleets of telemetry agents', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      schemas: components,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' }, session: { type: 'apiKey', in: 'cookie', name: 'drover_session' } },
    },
  }
}

function operation(route: AnyRoute, components: Record<string, unknown>): Record<string, unknown> {
  const parameters = [...parametersOf(route.params, 'path', components), ...parametersOf(route.query, 'query', components)]
  if (route.ifMatch) parameters.push({ name: 'If-Match', in: 'header', required: true, schema: { type: 'string' } })
  if (route.idempotent) parameters.push({ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 128 } })
  const success = {
    description: 'Done',
    ...(route.response ? { content: { 'application/json': { schema: jsonSchema(route.response, 'output', components) } } } : {}),
    ...(route.etag ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
  }
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input', components) } } } } : {}),
    responses: {
      [String(route.status ?? 200)]: success,
      default: { description: 'Refused', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
    security: route.access === 'public' ? [] : [{ token: [] }, { session: [] }],
  }
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query', components: Record<string, unknown>): Record<string, unknown>[] {
  if (schema === undefined) return []
  const object = jsonSchema(schema, 'input', components) as { properties?: Record<string, Record<string, unknown>>; required?: string[] }
  return Object.entries(object.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (object.required?.includes(name) ?? false),
    schema: property,
  }))
}

/** JSON Schema of a zod schema; what has a name goes into `components` once. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Record<string, unknown>): Record<string, unknown> {
  const registry = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any', reused: 'inline' }) as Record<string, unknown>
  const { $schema: _, $defs, ...rest } = registry
  const text = JSON.stringify(rest).replaceAll('"#/$defs/', '"#/components/schemas/')
  for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, unknown>)) {
    components[name] ??= JSON.parse(JSON.stringify(definition).replaceAll('"#/$defs/', '"#/components/schemas/'))
  }
  const id = typeof rest['id'] === 'string' ? rest['id'] : undefined
  const own = JSON.parse(text) as Record<string, unknown>
  if (id === undefined) return own
  components[id] ??= own
  return { $ref: `#/components/schemas/${id}` }
}
