/** Shapes that every resource uses: names, timestamps, pages, problems. */
import { z } from 'zod'

/** ISO 8601 with milliseconds, UTC. */
export const Timestamp = z.iso.datetime({ precision: 3 }).meta({ id: 'Timestamp' })

/** Name of a config or group: what a person types in a path or a command. */
export const ResourceName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/,
    'use 1 to 63 lower-case letters, digits, dots, dashes or underscores, starting and ending with a letter or digit',
  )
  .meta({ id: 'ResourceName' })

export const InstanceUidText = z.uuid().meta({ id: 'InstanceUid', description: 'The OpAMP instance uid in canonical UUID form' })

/** Lower-case hex of a SHA-256. */
export const ContentHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'ContentHash' })

/** Hash of a configuration as hex; agents may report hashes that others chose, so any length. */
export const ConfigHash = z
  .string()
  .regex(/^[0-9a-f]*$/)
  .max(256)
  .meta({ id: 'ConfigHash' })

export const PageQuery = z.object({
  cursor: z.string().max(512).optional().meta({ description: 'From `nextCursor` of the page before' }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable(),
    /** How many match in all. */
    total: z.number().int().nonnegative(),
  })

/** RFC 9457, sent as `application/problem+json`. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** Stable word for programs, e.g. `invalid-input`, `not-found`, `version-conflict`. */
    code: z.string(),
    /** What was wrong and what to do, for a person. */
    detail: z.string(),
    requestId: z.string().optional(),
    /** Which fields were refused, as paths such as `body.files.0.name`. */
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    /** With `version-conflict`: the resource as it is now, so that the caller can show what changed. */
    current: z.unknown().optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.output<typeof Problem>

export const ConfigFile = z
  .object({
    /** File name; several files are merged in the order of their names. */
    name: z
      .string()
      .max(255)
      .regex(/^[^\u0000-\u001f\\]*$/, 'no control characters or backslashes')
      .refine((name) => !name.split('/').includes('..'), 'no .. in a file name'),
    contentType: z.string().max(127).default('text/yaml'),
    body: z.string().max(4 * 1024 * 1024),
  })
  .meta({ id: 'ConfigFile' })
export type ConfigFile = z.output<typeof ConfigFile>

export const Files = z.array(ConfigFile).min(1, 'at least one file').max(100)

/** One finding of a configuration check. */
export const Finding = z
  .object({
    severity: z.enum(['error', 'warning']),
    /** Stable word, e.g. `yaml-syntax`, `unknown-component`, `pipeline-without-exporter`, `unused-component`, `component-not-available`. */
    code: z.string(),
    message: z.string(),
    file: z.string().optional(),
    /** Counted from 1. */
    line: z.number().int().optional(),
    column: z.number().int().optional(),
    /** Path in the document, e.g. `service.pipelines.traces.exporters`. */
    path: z.string().optional(),
  })
  .meta({ id: 'Finding' })
export type Finding = z.output<typeof Finding>
