/** What an unhealthy agent says is wrong, in one line. */
import type { ComponentHealth } from '@drover/protocol'

const maxDepth = 16

/** The deepest part that gives a reason, with its path: the top level of a Collector only says that something is wrong. */
export function complaintOf(health: ComponentHealth): string {
  const found = health.healthy ? undefined : deepest(health, '', 0)
  return found ?? (health.lastError || health.status)
}

function deepest(health: ComponentHealth, path: string, depth: number): string | undefined {
  for (const [name, part] of Object.entries(health.componentHealthMap)) {
    const found = part.healthy || depth >= maxDepth ? undefined : deepest(part, path === '' ? name : `${path}/${name}`, depth + 1)
    if (found !== undefined) return found
  }
  return health.lastError === '' || path === '' ? undefined : `${path}: ${health.lastError}`
}
