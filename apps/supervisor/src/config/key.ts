/** A key of the supervisor's file as a value: reading, unknown keys, explanations and documentation all come from it. */
import type { KeyType } from './key-type.ts'

/** `stock`: the stock supervisor v0.149 has it; `newer`: later versions of it do; `drover`: ours. */
export type Origin = 'stock' | 'newer' | 'drover'

export interface Key<T = unknown> {
  readonly type: KeyType<T>
  /** What an absent key means; `undefined`: that it is absent. */
  readonly fallback: T
  /** In documentation, where the fallback itself says too little. */
  readonly shownDefault?: string
  readonly origin: Origin
  readonly meaning: string
  /** It may be there, and nothing follows from it: why. */
  readonly withoutEffect?: string
}

type More = Pick<Key, 'shownDefault' | 'withoutEffect'> & { readonly origin?: Origin }

export function withDefault<T>(type: KeyType<T>, fallback: T, meaning: string, { origin = 'stock', ...more }: More = {}): Key<T> {
  return { type, fallback, meaning, origin, ...more }
}

export function optional<T>(type: KeyType<T>, meaning: string, { origin = 'stock', ...more }: More = {}): Key<T | undefined> {
  // as: a type that reads T also reads for a key that may be absent; `show` is never called with undefined
  return { type: type as KeyType<T | undefined>, fallback: undefined, meaning, origin, ...more }
}

export type Keys = Readonly<Record<string, Key>>

/** The value of each key. */
export type ValuesOf<K> = { readonly [Name in keyof K]: K[Name] extends Key<infer T> ? T : never }
