/** What is wrong with a secret that is being written, and what is worth knowing about it. Pure. */
import { type Secret, VariableName } from '@drover/api'

/** What is wrong with the name of a new secret, or undefined. An empty one is not wrong yet. */
export function secretNameError(name: string, taken: readonly string[]): string | undefined {
  if (name === '') return undefined
  if (taken.includes(name)) return 'There is a secret of this name. Give it a new value in its row instead'
  const parsed = VariableName.safeParse(name)
  return parsed.success ? undefined : parsed.error.issues[0]?.message
}

export const reference = (name: string): string => `\${drover:secret.${name}}`

/** A line break at the end comes with most copied values and is rarely meant. */
export const endsWithLineBreak = (value: string): boolean => /\r?\n$/.test(value)
export const withoutLastBreak = (value: string): string => value.replace(/(\r?\n)+$/, '')

/** Why a secret cannot be deleted now, or undefined. */
export function deleteRefusal({ usedBy }: Pick<Secret, 'usedBy'>): string | undefined {
  if (usedBy.length === 0) return undefined
  const groups = [...new Set(usedBy.map(({ group }) => group))]
  const named = groups.length > 3 ? `${groups.slice(0, 3).join(', ')} and ${groups.length - 3} more` : groups.join(', ')
  return `Agents of ${named} get it. Take it out of the configs of ${groups.length === 1 ? 'that group' : 'those groups'} first`
}

/** Groups that go on with an older value. */
export function groupsBehind({ usedBy, version }: Pick<Secret, 'usedBy' | 'version'>): readonly string[] {
  return [...new Set(usedBy.filter((use) => use.version < version).map(({ group }) => group))]
}
