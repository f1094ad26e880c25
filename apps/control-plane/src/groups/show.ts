/** Groups as the API shows them. */
import type { AgentCounts, Group, Revision } from '@drover/api'
import type { z } from 'zod'
import type { StoredRevision } from './revision.ts'
import type { StoredGroup } from './store.ts'

export type Counts = z.output<typeof AgentCounts>

const NO_AGENTS: Counts = { total: 0, connected: 0, stale: 0, healthy: 0, unhealthy: 0, applying: 0, applied: 0, failed: 0, unmanaged: 0 }

export function showGroup(group: StoredGroup, counts: Counts | undefined): Group {
  const { name, description, revision, current, rollout, plan } = group
  return {
    name,
    description,
    selector: revision.selector,
    priority: revision.priority,
    revision: showRevision(revision),
    current,
    rollout,
    plan: plan as Group['plan'], // as: the same shape, written once with readonly and once without
    counts: counts ?? NO_AGENTS,
    createdAt: new Date(group.createdAt).toISOString(),
    updatedAt: new Date(group.updatedAt).toISOString(),
  }
}

export function showRevision(revision: StoredRevision): Revision {
  const { number, selector, priority, configs, variables, secrets, ownTelemetry, author, message, createdAt } = revision
  return {
    number,
    selector,
    priority,
    configs: configs.map(({ config, version }) => ({ config, version })),
    variables: { ...variables },
    secrets: { ...secrets },
    ownTelemetry,
    author,
    message,
    createdAt: new Date(createdAt).toISOString(),
  }
}

/** A group that was deleted and made again is another one, and so is one that a rollback took to another revision. */
export function etagOf({ firstRevision, edit, revision }: StoredGroup): string {
  return `g${firstRevision}-${edit}-${revision.number}`
}
