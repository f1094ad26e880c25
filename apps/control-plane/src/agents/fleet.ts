/** The fleet as rollouts see it: what is known of agents, from memory, and how they are moved. */
import { combineOutcomes, configurationOutcome } from '@drover/fleet'
import type { Lookup, Outcome, RevisionPartKind } from '@drover/fleet'
import type { FleetAgent, FleetForRollouts, RolloutsForAgents } from '../seams.ts'
import { configErrorOf, lookupOf } from './agent-record.ts'
import type { AgentRecord } from './agent-record.ts'
import type { Assignments } from './assignments.ts'
import type { Commands } from './commands.ts'
import type { DesiredConfigs } from './desired-configs.ts'
import type { EffectiveMatches } from './effective-matches.ts'
import type { OwnTelemetryOffers } from './own-telemetry.ts'
import type { Previews } from './preview.ts'
import type { Reconsider } from './reconsider.ts'
import type { Registry } from './registry.ts'

export interface FleetOptions {
  readonly registry: Registry
  readonly desired: DesiredConfigs
  readonly assignments: Assignments
  readonly ownTelemetry: OwnTelemetryOffers
  readonly matches: EffectiveMatches
  readonly rollouts: Pick<RolloutsForAgents, 'revisionFor'>
  readonly reconsider: Reconsider
  readonly commands: Commands
  readonly previews: Previews
}

export function createFleet(options: FleetOptions): FleetForRollouts {
  const { registry, matches, reconsider, commands, previews } = options
  return {
    *agents() {
      for (const record of registry.all()) yield new SeenAgent(record, matches)
    },
    agent(id) {
      const record = registry.byId(id)
      return record && new SeenAgent(record, matches)
    },
    outcome: (agentId, group) => {
      const record = registry.byId(agentId)
      return record === undefined ? 'none' : outcomeOf(options, record, group)
    },
    reconsider: (agentIds) => reconsider.some(agentIds),
    allowRetry: (agentIds) => commands.forgive(agentIds),
    missing: (agentIds, revision) => previews.missing(agentIds, revision),
    effectOf: (agentIds, change) => previews.effectOf(agentIds, change),
    changeOf: (agentId, change) => previews.changeOf(agentId, change),
    unresolved: (agentIds, change) => previews.unresolved(agentIds, change),
  }
}

/** Follows the record: read it at once. */
class SeenAgent implements FleetAgent {
  readonly #record: AgentRecord
  readonly #matches: EffectiveMatches

  constructor(record: AgentRecord, matches: EffectiveMatches) {
    this.#record = record
    this.#matches = matches
  }

  get id(): string {
    return this.#record.id
  }

  get name(): string {
    return this.#record.name
  }

  get lookup(): Lookup {
    return lookupOf(this.#record)
  }

  get offlineSince(): number | null {
    return this.#record.offlineSince
  }

  get connectedSince(): number | null {
    return this.#record.connection?.connectedAt ?? null
  }

  get healthy(): boolean | null {
    return this.#record.healthy
  }

  get drifted(): boolean | null {
    const matches = this.#matches.ask(this.#record)
    return matches === undefined ? null : !matches
  }

  get configError(): string | null {
    return configErrorOf(this.#record)
  }
}

/** Always of what the group gives at this moment, also when nobody looked at the agent since a rollout moved it. */
function outcomeOf(options: FleetOptions, record: AgentRecord, group: string): Outcome {
  const { desired, assignments, rollouts, ownTelemetry } = options
  const known = desired.current.group(group)
  const { revision } = rollouts.revisionFor(group, known?.current ?? null, record.id)
  if (known === undefined || (revision !== null && !known.revisions.has(revision))) return 'none'
  if (!assignments.reassign(record)) return 'none'
  const rules = [...known.revisions.values()]
  const parts: Partial<Record<RevisionPartKind, Outcome>> = {}
  if (rules.some(({ rule }) => rule.configs.length > 0)) parts.configuration = configurationPart(options, record)
  if (rules.some((rule) => rule.ownTelemetry !== null)) parts.ownTelemetry = ownTelemetry.outcome(record)
  // An agent that never says what became of settings has to be believed by what it says of its configuration.
  if (parts.ownTelemetry === 'silent' && parts.configuration !== undefined) parts.ownTelemetry = 'ineligible'
  return combineOutcomes(parts)
}

function configurationPart({ matches }: FleetOptions, record: AgentRecord): Outcome {
  if (record.problem !== null) return record.capabilities.has('AcceptsRemoteConfig') ? 'failed' : 'ineligible'
  const effectiveMatches = matches.known(record)
  return configurationOutcome({
    desired: record.desiredHash,
    accepts: record.capabilities.has('AcceptsRemoteConfig'),
    reports: record.capabilities.has('ReportsRemoteConfig'),
    ledger: record.ledger,
    ...(effectiveMatches === undefined ? {} : { effectiveMatches }),
  })
}
