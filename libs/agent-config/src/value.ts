/** The values of a configuration document. */

/** Maps have no prototype, so that a key such as `__proto__` is a key like any other. */
export interface ConfigMap {
  [key: string]: ConfigValue
}

/** `bigint` for whole numbers that a `number` cannot hold exactly. Values are shared where the text used an alias: never change one. */
export type ConfigValue = null | boolean | number | bigint | string | ConfigValue[] | ConfigMap

export function createMap(): ConfigMap {
  return Object.create(null) as ConfigMap // Object.create returns any
}

export function copyMap(map: ConfigMap): ConfigMap {
  return Object.assign(createMap(), map)
}

export function isMap(value: unknown): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a key of a map, undefined for anything else. */
export function child(value: ConfigValue | undefined, key: string): ConfigValue | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

export function isEqual(a: ConfigValue | undefined, b: ConfigValue | undefined): boolean {
  if (Object.is(a, b)) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]))
  if (!isMap(a) || !isMap(b) || Array.isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]))
}

/**
 * A value as JSON can carry it: whole numbers beyond 2^53 as text, infinities and NaN by their YAML names.
 */
export function toJson(value: ConfigValue): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
  if (Array.isArray(value)) return value.map(toJson)
  if (!isMap(value)) return value
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, item] of Object.entries(value)) result[key] = toJson(item)
  return result
}

/** Whether a text has parts that the Collector fills in when it starts, e.g. `${env:HOST}`. */
export function hasPlaceholder(value: unknown): boolean {
  return typeof value === 'string' && /\$\{[^${}]*\}/.test(value)
}
