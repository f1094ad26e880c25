/** Writes a configuration value as YAML, without anchors, so that equal values always give equal text. */
import { stringify } from 'yaml'
import type { ConfigValue } from './value.ts'

export function toYaml(value: ConfigValue): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0, nullStr: '', version: '1.2', sortMapEntries: false, compat: 'yaml-1.1' })
}
