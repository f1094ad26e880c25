/** Reads the answer of `/api/v1/query` (https://prometheus.io/docs/prometheus/latest/querying/api/), strictly: what is not understood is a problem. */
import { z } from 'zod'

export type ParsedAnswer =
  | { readonly kind: 'scalar' | 'vector'; readonly samples: readonly { readonly value: number; readonly at: number }[] }
  | { readonly problem: string }

/** Seconds since 1970, and the value as text. */
const Point = z.tuple([z.number(), z.string()])
const Success = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: Point }),
    // A series of native histograms has `histogram` in place of `value`.
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: Point.optional() })) }),
    z.object({ resultType: z.literal('matrix') }),
    z.object({ resultType: z.literal('string') }),
  ]),
  /** The result may be incomplete. What is only worth knowing comes as `infos`. */
  warnings: z.array(z.string()).nullish(),
  /** VictoriaMetrics says so when a part of its storage did not answer. */
  isPartial: z.boolean().optional(),
})
const Failure = z.object({ status: z.literal('error'), error: z.string() })

const maxQuotedLength = 200

export function parseAnswer(status: number, body: string): ParsedAnswer {
  const json = parseJson(body)
  const failure = Failure.safeParse(json)
  if (failure.success) return { problem: `status ${status}, ${quote(failure.data.error)}` }
  if (status !== 200) return { problem: `status ${status}` }
  const parsed = Success.safeParse(json)
  if (!parsed.success) return { problem: 'the answer is not one of a Prometheus server' }
  const { data, warnings, isPartial } = parsed.data
  if (warnings !== undefined && warnings !== null && warnings.length > 0) return { problem: `it comes with a warning, ${quote(warnings[0] ?? '')}` }
  if (isPartial === true) return { problem: 'it is said to be incomplete' }
  switch (data.resultType) {
    case 'scalar':
      return samplesOf('scalar', [data.result])
    case 'vector':
      return samplesOf(
        'vector',
        data.result.map(({ value }) => value),
      )
    case 'matrix':
    case 'string':
      return { problem: `the query gives a ${data.resultType}, and not one number` }
    default:
      return data satisfies never
  }
}

function samplesOf(kind: 'scalar' | 'vector', points: readonly (z.output<typeof Point> | undefined)[]): ParsedAnswer {
  const samples: { value: number; at: number }[] = []
  for (const point of points) {
    if (point === undefined) return { problem: 'the query gives a histogram, and not one number' }
    const value = parseValue(point[1])
    if (value === undefined) return { problem: 'the answer has a value that is no number' }
    samples.push({ at: point[0], value })
  }
  return { kind, samples }
}

/** As Go writes floating-point numbers. */
function parseValue(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Somebody else's text, on one line and short. */
function quote(text: string): string {
  return JSON.stringify(text.replaceAll(/\s+/g, ' ').trim().slice(0, maxQuotedLength).toWellFormed())
}
