/** What people write of a group, checked and completed: the values of a revision, and the plan by which it goes out. */
import type { ConfigFile, Finding, GroupInput, OwnTelemetry } from '@drover/api'
import { SelectorError, formatSelector, parseSelector } from '@drover/fleet'
import type { RolloutPlan, Selector } from '@drover/fleet'
import type { z } from 'zod'
import { InvalidInputError } from '../http/errors.ts'
import type { FieldError } from '../http/errors.ts'
import type { CheckPlan } from '../seams.ts'
import type { ReadStore } from '../storage/store.ts'
import { checkNames, namesIn } from './references.ts'
import type { ReadConfig } from './references.ts'
import type { ConfigRef, RevisionValues } from './revision.ts'

export type Input = z.output<typeof GroupInput>

export interface InputOptions {
  /** Undefined: there is no such version, or its config was deleted. */
  readonly readFiles: (from: ReadStore, ref: ConfigRef) => Promise<readonly ConfigFile[] | undefined>
  readonly latestSecrets: (from: ReadStore) => Promise<ReadonlyMap<string, number>>
}

export interface CheckedInput {
  readonly values: RevisionValues
  readonly selector: Selector
  readonly configs: readonly ReadConfig[]
  /** Warnings alone. */
  readonly findings: readonly Finding[]
}

const TO_DROVER: OwnTelemetry = { metrics: { kind: 'drover' }, logs: { kind: 'drover' }, traces: { kind: 'drover' } }

/**
 * `before`: of the revision that is changed; undefined for a new group.
 * @throws {InvalidInputError} naming every error.
 */
export async function checkInput(options: InputOptions, from: ReadStore, input: Input, before: RevisionValues | undefined): Promise<CheckedInput> {
  const selector = parseSelectorField(input.selector)
  const configs = await readConfigs(options, from, input.configs)
  const ownTelemetry = input.ownTelemetry === undefined ? TO_DROVER : input.ownTelemetry
  const used = namesIn(configs, ownTelemetry)
  const latest = await options.latestSecrets(from)
  const { errors, findings } = checkNames(used, { variables: input.variables, secrets: latest })
  if (errors.length > 0) throw refused(errors)
  const secrets: Record<string, number> = {}
  for (const { kind, name } of used.names) {
    if (kind !== 'secret') continue
    const kept = input.secrets === 'keep' ? before?.secrets[name] : undefined
    secrets[name] = kept ?? latest.get(name)! // checkNames has seen that it is there
  }
  const { priority, variables } = input
  return { values: { selector: formatSelector(selector), priority, configs: input.configs, variables, secrets, ownTelemetry }, selector, configs, findings }
}

/** @throws {InvalidInputError} naming the field. */
export function checkedPlan(check: CheckPlan, given: NonNullable<Input['plan']>, field: string): RolloutPlan {
  const plan = given as RolloutPlan // as: the same shape; that an absent soak is no key at all is seen to when it is stored as JSON
  const errors = check(plan).map((finding) => ({ field: `${field}.${dotted(finding.field)}`, message: finding.message }))
  if (errors.length > 0) throw refused(errors)
  return plan
}

/** @throws {InvalidInputError} */
export function parseSelectorField(text: string): Selector {
  try {
    return parseSelector(text, 'group')
  } catch (error) {
    if (error instanceof SelectorError)
      throw new InvalidInputError(`the selector is not valid: ${error.message}`, [{ field: 'body.selector', message: error.message }])
    throw error
  }
}

async function readConfigs({ readFiles }: InputOptions, from: ReadStore, refs: readonly ConfigRef[]): Promise<readonly ReadConfig[]> {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  const read: ReadConfig[] = []
  for (const [index, ref] of refs.entries()) {
    const files = seen.has(ref.config) ? undefined : await readFiles(from, ref)
    if (seen.has(ref.config)) errors.push({ field: `body.configs.${index}.config`, message: `the config ${ref.config} is listed twice` })
    else if (files === undefined) errors.push({ field: `body.configs.${index}`, message: `there is no ${ref.config}@${ref.version}` })
    else read.push({ ...ref, files })
    seen.add(ref.config)
  }
  if (errors.length > 0) throw refused(errors)
  return read
}

/** `waves[2].percent` as the API names fields: `waves.2.percent`. */
function dotted(field: string): string {
  return field.replaceAll(/\[(\d+)\]/g, '.$1')
}

function refused(errors: readonly FieldError[]): InvalidInputError {
  return new InvalidInputError(errors.map((error) => error.message).join('; '), errors)
}
