/** Everything behind the console listener: the routes of every part, probes, and the console's own files. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ConfigFile } from '@drover/api'
import { mergeFiles } from '@drover/agent-config'
import { SelectorError, parseSelector } from '@drover/fleet'
import type { Access } from './access/index.ts'
import type { ControlPlaneConfig } from './config/options.ts'
import { bindDraftRoutes } from './configs/draft-routes.ts'
import { bindConfigRoutes } from './configs/routes.ts'
import { checkTarget } from './configs/validation.ts'
import type { TargetComponents } from './configs/validation.ts'
import type { DecisionStores } from './decisions.ts'
import { bindEventRoutes } from './events/routes.ts'
import { createPreview } from './groups/preview.ts'
import type { GroupPreview } from './groups/preview.ts'
import { bindGroupRoutes } from './groups/routes.ts'
import type { GroupRollouts } from './groups/options.ts'
import { bindConsoleFiles } from './http/console-files.ts'
import { createConsoleServer } from './http/console-server.ts'
import type { ConsoleServer } from './http/console-server.ts'
import { InvalidInputError } from './http/errors.ts'
import type { Idempotency } from './http/idempotency.ts'
import { bindProbes } from './http/probes.ts'
import { bindSecretRoutes } from './secrets/routes.ts'
import type { AgentsPart, CheckPlan, Foundation, GroupDraft } from './seams.ts'
import { bindTemplateRoutes } from './templates/routes.ts'
import type { RolloutsPart } from './rollouts/index.ts'
import type { Telemetry } from './telemetry/index.ts'
import type { Webhooks } from './webhooks/index.ts'
import { bindSystemRoutes } from './system/routes.ts'

export interface ConsoleParts extends Foundation {
  readonly idempotency: Idempotency
  readonly access: Access
  readonly agents: AgentsPart
  readonly decisions: DecisionStores
  readonly rollouts: GroupRollouts & Pick<RolloutsPart, 'bindRoutes'>
  readonly telemetry: Pick<Telemetry, 'bindRoutes'>
  readonly webhooks: Pick<Webhooks, 'bindRoutes'>
  readonly checkPlan: CheckPlan
  readonly agentsEndpoint: () => string
}

const BUILT_CONSOLE = fileURLToPath(new URL('../../console/dist', import.meta.url))

export async function createConsole(config: ControlPlaneConfig, parts: ConsoleParts, checkAnswers: boolean): Promise<ConsoleServer> {
  const { store, events, clock, metrics, log, idempotency, access, agents, decisions } = parts
  const server = createConsoleServer({
    listenHost: config.consoleListen.host,
    ...(config.consoleUrl ? { publicUrl: config.consoleUrl } : {}),
    authenticate: access.authenticate,
    idempotency,
    log,
    checkAnswers,
  })
  bindProbes(server.app, { metrics, notReadyBecause: () => store.state().detail ?? undefined })
  access.bindRoutes(server.bind)
  agents.bindRoutes(server.bind)
  bindEventRoutes(server.bind, server.bindStream, { events })
  bindConfigRoutes(server.bind, {
    store,
    events,
    configs: decisions.configs,
    readUses: (from) => decisions.readConfigUses(from),
    componentsOf: (target) => componentsOfTarget(parts, target),
  })
  bindDraftRoutes(server.bind, { store, events, configs: decisions.configs, drafts: decisions.drafts })
  bindGroupRoutes(server.bind, {
    store,
    events,
    groups: decisions.groups,
    rollouts: parts.rollouts,
    readFiles: (from, ref) => decisions.readFilesOf(from, ref),
    latestSecrets: (from) => decisions.secrets.latestVersions(from),
    effectOf: (change) => agents.fleet.effectOf(allAgents(agents), change),
    countsByGroup: () => agents.countsByGroup(),
    countsOf: (selector) => agents.countsOf(selector),
    preview: createPreview({
      previewDraft: (draft) => agents.previewDraft(draft),
      readFiles: (name, version) => decisions.readFiles(name, version),
      missingFor: (draft, files) => missingFor(agents, draft, files),
    }),
    checkPlan: parts.checkPlan,
    onGroupsChanged: () => agents.onGroupsChanged(),
  })
  bindSecretRoutes(server.bind, { store, events, secrets: decisions.secrets, readUses: (from) => decisions.readSecretUses(from) })
  bindTemplateRoutes(server.bind)
  parts.rollouts.bindRoutes(server.bind, server.bindStream)
  parts.telemetry.bindRoutes(server.bind)
  parts.webhooks.bindRoutes(server.bind)
  bindSystemRoutes(server.bind, { store, events, clock, counts: () => agents.counts(), agentsEndpoint: parts.agentsEndpoint, demoAgents: config.demoAgents })
  const consoleDir = config.consoleDir ?? BUILT_CONSOLE
  if (!existsSync(consoleDir)) log.warn({ consoleDir }, 'console is not built')
  await bindConsoleFiles(server.app, consoleDir)
  await server.app.ready()
  return server
}

async function componentsOfTarget(
  { agents, decisions, store }: ConsoleParts,
  { group, selector }: { group?: string | undefined; selector?: string | undefined },
): Promise<TargetComponents> {
  if (selector !== undefined) return agents.componentsOf(parseTarget(selector))
  const row = group === undefined ? undefined : await decisions.groups.find(store.read, group)
  if (row === undefined) throw new InvalidInputError(`there is no group ${JSON.stringify(group)}`, [{ field: 'body.target.group', message: 'does not exist' }])
  return agents.componentsOf(parseSelector(row.revision.selector))
}

function* allAgents({ fleet }: AgentsPart): Generator<string> {
  for (const { id } of fleet.agents()) yield id
}

function parseTarget(selector: string): ReturnType<typeof parseSelector> {
  try {
    return parseSelector(selector)
  } catch (error) {
    if (error instanceof SelectorError)
      throw new InvalidInputError(`the selector is not valid: ${error.message}`, [{ field: 'body.target.selector', message: error.message }])
    throw error
  }
}

function missingFor(agents: AgentsPart, draft: GroupDraft, files: readonly ConfigFile[]): GroupPreview['missing'] {
  return checkTarget(mergeFiles(files), agents.componentsOf(draft.selector)).missing
}
