/** What a person fills in for a group, and what it becomes for the server. Pure. */
import type { Group, GroupInput, OwnTelemetry, RolloutPlan } from '@drover/api'
import { VariableName } from '@drover/api'
import type { z } from 'zod'

/** One line of a list of names and values; names may be empty or doubled while one writes. */
export interface PairDraft {
  readonly name: string
  readonly value: string
}

/** `leave`: the group leaves it as it is. Endpoint and headers are kept while another kind is looked at. */
export interface DestinationDraft {
  readonly kind: 'leave' | 'drover' | 'otlp'
  readonly endpoint: string
  readonly headers: readonly PairDraft[]
}

export const signals = ['metrics', 'logs', 'traces'] as const
export type Signal = (typeof signals)[number]

export interface GroupDraft {
  readonly name: string
  readonly description: string
  readonly selector: string
  readonly priority: number
  readonly configs: readonly { readonly config: string; readonly version: number }[]
  readonly variables: readonly PairDraft[]
  readonly secrets: 'keep' | 'latest'
  readonly ownTelemetry: Readonly<Record<Signal, DestinationDraft>>
  /** null: the standard plan. */
  readonly plan: RolloutPlan | null
  readonly message: string
}

const destination = (kind: DestinationDraft['kind']): DestinationDraft => ({ kind, endpoint: '', headers: [] })

/** A new group takes the agents' own telemetry to Drover, which gates and charts need. */
export const emptyDraft: GroupDraft = {
  name: '',
  description: '',
  selector: '',
  priority: 0,
  configs: [],
  variables: [],
  secrets: 'keep',
  ownTelemetry: { metrics: destination('drover'), logs: destination('drover'), traces: destination('drover') },
  plan: null,
  message: '',
}

export function draftOf({ name, description, revision, plan }: Group): GroupDraft {
  const { selector, priority, configs, ownTelemetry } = revision
  return {
    name,
    description,
    selector,
    priority,
    configs,
    variables: pairsOf(revision.variables),
    secrets: 'keep',
    ownTelemetry: {
      metrics: destinationOf(ownTelemetry?.metrics ?? null),
      logs: destinationOf(ownTelemetry?.logs ?? null),
      traces: destinationOf(ownTelemetry?.traces ?? null),
    },
    plan,
    message: '',
  }
}

const pairsOf = (values: Readonly<Record<string, string>>): readonly PairDraft[] => Object.entries(values).map(([name, value]) => ({ name, value }))

function destinationOf(given: OwnTelemetry[Signal]): DestinationDraft {
  if (given === null) return destination('leave')
  return given.kind === 'drover' ? destination('drover') : { kind: 'otlp', endpoint: given.endpoint, headers: pairsOf(given.headers) }
}

/** Lines without a name are left out; the form says that they are. */
const recordOf = (pairs: readonly PairDraft[]): Record<string, string> =>
  Object.fromEntries(pairs.filter(({ name }) => name !== '').map(({ name, value }) => [name, value]))

function destinationInput({ kind, endpoint, headers }: DestinationDraft) {
  if (kind === 'leave') return null
  return kind === 'drover' ? { kind } : { kind, endpoint, headers: recordOf(headers) }
}

export function inputOf(draft: GroupDraft): z.input<typeof GroupInput> {
  const { metrics, logs, traces } = draft.ownTelemetry
  return {
    description: draft.description,
    selector: draft.selector,
    priority: draft.priority,
    configs: [...draft.configs],
    variables: recordOf(draft.variables),
    secrets: draft.secrets,
    ownTelemetry:
      metrics.kind === 'leave' && logs.kind === 'leave' && traces.kind === 'leave'
        ? null
        : { metrics: destinationInput(metrics), logs: destinationInput(logs), traces: destinationInput(traces) },
    plan: draft.plan,
    message: draft.message,
  }
}

/** `base@3` as it stands in an address. */
export function parseConfigRef(text: string | undefined): GroupDraft['configs'] {
  const match = /^(.+)@(\d+)$/.exec(text ?? '')
  return match?.[1] === undefined ? [] : [{ config: match[1], version: Number(match[2]) }]
}

/** What stops a draft from being saved before the server is asked, or undefined. */
export function draftRefusal(draft: GroupDraft, isNew: boolean): string | undefined {
  if (isNew && draft.name === '') return 'Give the group a name first'
  if (draft.selector.trim() === '') return 'Write a selector first; * selects every agent'
  if (pairErrors(draft.variables, variableNameError).some((error) => error !== undefined)) return 'A variable has a name that cannot be used'
  for (const signal of signals) {
    const { kind, endpoint, headers } = draft.ownTelemetry[signal]
    if (kind === 'otlp' && endpointError(endpoint) !== undefined) return `Say where own ${signal} go`
    if (kind === 'otlp' && pairErrors(headers, headerNameError).some((error) => error !== undefined))
      return `A header of own ${signal} has a name that cannot be used`
  }
  return undefined
}

/** What is wrong with each name, line by line. */
export function pairErrors(pairs: readonly PairDraft[], nameError: (name: string) => string | undefined): readonly (string | undefined)[] {
  return pairs.map(({ name }, index) => {
    if (name === '') return 'write a name'
    return pairs.findIndex((other) => other.name === name) < index ? 'this name is there already' : nameError(name)
  })
}

export function variableNameError(name: string): string | undefined {
  const parsed = VariableName.safeParse(name)
  return parsed.success ? undefined : parsed.error.issues[0]?.message
}

export const headerNameError = (name: string): string | undefined => (/^[A-Za-z0-9-]{1,64}$/.test(name) ? undefined : 'use letters, digits and dashes')

export const endpointError = (text: string): string | undefined =>
  /^https?:\/\/[^/]/.test(text) && URL.canParse(text) ? undefined : 'write a whole address that begins with https:// or http://'

/** What decides what agents run, in a form that can be compared. The names of variables have no order, configs have one. */
function essence(draft: GroupDraft): string {
  const { selector, priority, configs, variables, ownTelemetry } = inputOf(draft)
  const sorted = Object.entries(variables ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return JSON.stringify([selector.trim(), priority, configs?.map(({ config, version }) => [config, version]), sorted, ownTelemetry])
}

/** Does saving give agents something else to run, or others? Only then a new revision is made, which goes out in waves. */
export const changesRevision = (before: Group | undefined, draft: GroupDraft): boolean =>
  before === undefined || draft.secrets === 'latest' || essence(draftOf(before)) !== essence(draft)

export const sameDraft = (left: GroupDraft, right: GroupDraft): boolean =>
  left.description === right.description &&
  left.secrets === right.secrets &&
  JSON.stringify(left.plan) === JSON.stringify(right.plan) &&
  essence(left) === essence(right)
