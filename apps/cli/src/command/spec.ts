/** Arguments and options of a command, with the type of what they give. */
import { UsageError } from '../errors.ts'

/** What completion offers for a value. */
export type Completes = 'file' | 'agent' | 'config' | 'group' | 'rollout'

interface Spec<T> {
  readonly description: string
  readonly completes?: Completes
  readonly choices?: readonly string[]
  /** One text, or all of them where several may be given; throws `UsageError`. */
  readonly parse: (given: readonly string[]) => T
}

export interface ArgumentSpec<T = unknown> extends Spec<T> {
  readonly arity: 'one' | 'optional' | 'some' | 'any'
}

export interface OptionSpec<T = unknown> extends Spec<T> {
  /** As commander writes it, e.g. `-f, --file <path>`. */
  readonly flags: string
  readonly takes: 'nothing' | 'one' | 'several'
}

export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** The values of a record of arguments or options. */
export type ValuesOf<S> = { readonly [K in keyof S]: S[K] extends Spec<infer T> ? T : never }

type Extra = Pick<Spec<unknown>, 'completes' | 'choices'>

export const argument = (description: string, extra: Extra = {}): ArgumentSpec<string> => ({
  description,
  ...extra,
  arity: 'one',
  parse: ([given = '']) => given,
})
export const optionalArgument = (description: string, extra: Extra = {}): ArgumentSpec<string | undefined> => ({
  description,
  ...extra,
  arity: 'optional',
  parse: ([given]) => given,
})
export const someArguments = (description: string, extra: Extra = {}): ArgumentSpec<readonly string[]> => ({
  description,
  ...extra,
  arity: 'some',
  parse: (given) => given,
})
export const anyArguments = (description: string, extra: Extra = {}): ArgumentSpec<readonly string[]> => ({
  description,
  ...extra,
  arity: 'any',
  parse: (given) => given,
})

export const text = (flags: string, description: string, extra: Extra = {}): OptionSpec<string | undefined> => ({
  flags,
  description,
  ...extra,
  takes: 'one',
  parse: ([given]) => given,
})
export const texts = (flags: string, description: string, extra: Extra = {}): OptionSpec<readonly string[]> => ({
  flags,
  description,
  ...extra,
  takes: 'several',
  parse: (given) => given,
})
export const flag = (flags: string, description: string): OptionSpec<boolean> => ({ flags, description, takes: 'nothing', parse: (given) => given.length > 0 })

/** A whole number within bounds. */
export function integer(flags: string, description: string, bounds: { readonly min: number; readonly max: number }): OptionSpec<number | undefined> {
  return { flags, description, takes: 'one', parse: ([given]) => (given === undefined ? undefined : parseInteger(given, bounds)) }
}

function parseInteger(given: string, { min, max }: { readonly min: number; readonly max: number }): number {
  const value = Number(given)
  if (!/^-?\d+$/.test(given) || value < min || value > max) throw new UsageError(`"${given}" is not a whole number from ${min} to ${max}`)
  return value
}

/** One of a few words. */
export function choice<const T extends string>(flags: string, description: string, choices: readonly T[]): OptionSpec<T | undefined> {
  return {
    flags,
    description,
    choices,
    takes: 'one',
    parse: ([given]) => {
      const known = choices.find((word) => word === given)
      if (given !== undefined && known === undefined) throw new UsageError(`"${given}" is none of ${choices.join(', ')}`)
      return known
    },
  }
}

const durationUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A time span such as `90d`, `12h`, `30m`, in seconds. */
export function durationSeconds(flags: string, description: string): OptionSpec<number | undefined> {
  return {
    flags,
    description,
    takes: 'one',
    parse: ([given]) => {
      if (given === undefined) return undefined
      const [, amount = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(given) ?? []
      if (amount === '') throw new UsageError(`"${given}" is not a time span such as 30m, 12h or 90d`)
      return Number(amount) * (durationUnits[unit] ?? 1)
    },
  }
}
