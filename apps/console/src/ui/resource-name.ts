/** Names of configs and groups, checked as the server does. Pure. */
import { ResourceName } from '@drover/api'

/** What is wrong with a name, or undefined. */
export function nameError(name: string): string | undefined {
  const parsed = ResourceName.safeParse(name)
  return parsed.success ? undefined : parsed.error.issues[0]?.message
}
