/** Joins what takes a change to the fleet: what people decided, the agents, their evidence, the gates that judge it, and the rollouts. */
import { join } from 'node:path'
import { redactText } from '@drover/agent-config'
import { readFailures } from './agents/attempts.ts'
import { Deadlines, realTiming } from './agents/deadlines.ts'
import { createAgents } from './agents/index.ts'
import type { Agents } from './agents/index.ts'
import { parseAllowedTargets } from './config/allowed-targets.ts'
import type { ControlPlaneConfig } from './config/options.ts'
import { createDecisions } from './decisions.ts'
import type { DecisionStores } from './decisions.ts'
import { createJudge, createPlanCheck } from './gates/index.ts'
import { createOutgoing } from './outgoing/index.ts'
import { createRollouts } from './rollouts/index.ts'
import type { RolloutsPart } from './rollouts/index.ts'
import type { CheckPlan, Foundation, JudgeGate } from './seams.ts'
import { programVersion } from './system/version.ts'
import { openTelemetry } from './telemetry/index.ts'
import type { Telemetry, TelemetryOptions } from './telemetry/index.ts'
import { readTelemetryToken } from './telemetry-token.ts'
import { createWebhooks } from './webhooks/index.ts'
import type { Webhooks } from './webhooks/index.ts'

export interface FleetParts {
  readonly decisions: DecisionStores
  readonly agents: Agents
  readonly rollouts: RolloutsPart
  readonly telemetry: Telemetry
  readonly webhooks: Webhooks
  readonly checkPlan: CheckPlan
}

export interface FleetPartsOptions {
  readonly foundation: Foundation
  readonly config: ControlPlaneConfig
  /** The data folder. */
  readonly dir: string
  /** Asked once the agents listener is open. */
  readonly telemetryEndpoint: () => string
}

const TELEMETRY_FOLDER = 'telemetry'

/** Each is stopped by `started`, those that act before those that they act on. Nothing happens before each is started. */
export async function createFleetParts({ foundation, config, dir, telemetryEndpoint }: FleetPartsOptions, started: AsyncDisposableStack): Promise<FleetParts> {
  const { store, events, sealer, clock, log, metrics } = foundation
  const decisions = createDecisions(foundation)
  const outgoing = createOutgoing({ allowed: config.outgoingAllow })
  const webhooks = started.use(createWebhooks({ store, events, sealer, outgoing, clock, log, metrics }))
  const telemetry: Telemetry = started.use(
    await openTelemetry({
      dir: join(dir, TELEMETRY_FOLDER),
      budgetBytes: config.telemetryBudgetBytes,
      clock,
      log,
      metrics,
      agentOf: (token) => {
        const agentId = readTelemetryToken(sealer, token)
        return agentId === undefined || agents.fleet.agent(agentId) === undefined ? undefined : agentId
      },
      offerOf: (agentId) => agents.ownMetricsOf(agentId),
      redact: (text) => redactText(agents.redactSecrets(text)),
      ...forwardOf(config),
    }),
  )
  const { evidence } = telemetry
  const judge = createJudge({ evidence, fleet: () => agents.fleet, outgoing, signingSecret: (url) => webhooks.signingSecret(url), clock, log })
  const checkPlan = createPlanCheck(outgoing)
  const rollouts = await createRolloutsOf(foundation, decisions, { judge, evidence, checkPlan }, () => agents)
  const agents: Agents = started.use(
    await createAgents({ ...foundation, decisions, rollouts: rollouts.forAgents, telemetryEndpoint, version: programVersion, maxAgents: config.maxAgents }),
  )
  started.use(rollouts)
  return { decisions, agents, rollouts, telemetry, webhooks, checkPlan }
}

/** The operator named this address, so it may be anywhere; what people enter later may not. */
function forwardOf({ telemetryForward, telemetryForwardHeader }: ControlPlaneConfig): Pick<TelemetryOptions, 'forward'> {
  if (telemetryForward === null) return {}
  const { send } = createOutgoing({ allowed: parseAllowedTargets(telemetryForward.host) })
  const headers = telemetryForwardHeader === null ? {} : { [telemetryForwardHeader.name]: telemetryForwardHeader.value }
  return { forward: { url: telemetryForward.href, headers, post: (request) => send({ method: 'POST', ...request }) } }
}

function createRolloutsOf(
  foundation: Foundation,
  { groups, readChange }: DecisionStores,
  { judge, evidence, checkPlan }: { readonly judge: JudgeGate; readonly evidence: Telemetry['evidence']; readonly checkPlan: CheckPlan },
  agents: () => Agents,
): Promise<RolloutsPart> {
  const timing = realTiming(foundation.clock)
  return createRollouts({
    ...foundation,
    fleet: () => agents().fleet,
    judge,
    checkPlan,
    evidence,
    timing,
    deadlines: new Deadlines(timing),
    findGroup: (from, name) => groups.readState(from, name),
    readGroups: () => groups.readStates(foundation.store.read),
    readRevision: (from, group, number) => groups.readRule(from, group, number),
    readChange,
    readFailures,
    setCurrent: (tx, group, revision) => groups.setCurrent(tx, group, revision),
    onGroupsChanged: () => agents().onGroupsChanged(),
  })
}
