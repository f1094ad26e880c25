/** The stock supervisor's rules for two documents, without looking at where a value came from. */
import type { ConfigMap, ConfigValue } from './value.ts'
import { copyMap, isMap } from './value.ts'

/** Maps merge key by key; anything else, also an empty value, replaces what was there; `service.extensions` is a union. Arguments are not changed. */
export function mergeValues(lower: ConfigMap, higher: ConfigMap): ConfigMap {
  return uniteExtensions(lower, higher, mergeMaps(lower, higher))
}

function mergeMaps(lower: ConfigMap, higher: ConfigMap): ConfigMap {
  const result = copyMap(lower)
  for (const [key, value] of Object.entries(higher)) {
    const existing = isMap(value) && Object.hasOwn(result, key) ? result[key] : undefined
    result[key] = isMap(value) && isMap(existing) ? mergeMaps(existing, value) : value
  }
  return result
}

/** `merged` with all extensions of both: the first mention of each counts. Both lists have to be lists, otherwise the higher one replaced the lower one. */
export function uniteExtensions(lower: ConfigMap, higher: ConfigMap, merged: ConfigMap): ConfigMap {
  const before = extensionsOf(lower)
  const added = extensionsOf(higher)
  const service = merged['service']
  if (before === undefined || added === undefined || !isMap(service)) return merged
  const union = copyMap(service)
  union['extensions'] = [...new Set([...before, ...added])]
  const result = copyMap(merged)
  result['service'] = union
  return result
}

function extensionsOf(document: ConfigMap): ConfigValue[] | undefined {
  const service = document['service']
  const extensions = isMap(service) ? service['extensions'] : undefined
  return Array.isArray(extensions) ? extensions : undefined
}
