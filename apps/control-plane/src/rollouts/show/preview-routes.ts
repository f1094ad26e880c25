/** What a change would do, before it is made; and plans to choose from. */
import { diffValues, isMap, parseYaml, redactFiles, unifiedDiff } from '@drover/agent-config'
import type { ConfigMap } from '@drover/agent-config'
import { rolloutRoutes } from '@drover/api'
import type { PresetName, RolloutPlan as ShownPlan } from '@drover/api'
import { presets } from '@drover/fleet'
import type { RolloutPlan, Selector } from '@drover/fleet'
import type { BindRoute } from '../../http/bind-route.ts'
import { NotFoundError } from '../../http/errors.ts'
import type { RolloutsOptions } from '../part.ts'
import { choosePlan } from '../plans.ts'
import type { RolloutMemory } from '../run/memory.ts'
import { isStaged, planSentences } from './plan-words.ts'
import { previewRollout } from './preview.ts'

export interface PreviewRoutesOptions extends RolloutsOptions {
  readonly memory: RolloutMemory
}

export function bindPreviewRoutes(bind: BindRoute, options: PreviewRoutesOptions): void {
  const { store, memory, evidence, fleet, timing } = options
  bind(rolloutRoutes.previewRollout, async ({ body }) => {
    const change = await options.readChange(body.change)
    const state = await options.findGroup(store.read, change.group)
    const brought = planOf(body.change)
    const own = brought === undefined ? (state?.plan ?? null) : brought
    const { plan } = choosePlan(options.checkPlan, body.rollout ?? {}, own, 'body.rollout', brought === undefined ? 'group.plan' : 'body.change.plan')
    const current = state?.current ?? null
    const selectors = await readSelectors(options, change.group, [current, ...(memory.newestOf(change.group)?.revisions() ?? [])])
    return { data: await previewRollout({ ...change, current, selectors, plan }, { fleet: fleet(), memory, evidence, now: timing.now() }) }
  })
  bind(rolloutRoutes.previewAgentChange, async ({ params, body }) => {
    const { group, revision } = await options.readChange(body.change)
    const agent = fleet().agent(params.agentId)
    const change = agent && (await fleet().changeOf(params.agentId, { group, revision }))
    if (agent === undefined || change === undefined) throw new NotFoundError('agent', params.agentId)
    const [from, to] = [redacted(change.from.merged), redacted(change.to.merged)]
    return {
      data: {
        agentId: agent.id,
        agentName: agent.name,
        from: { hash: change.from.hash, source: change.from.source },
        to: { hash: change.to.hash, source: change.to.source },
        unified: unifiedDiff(asFiles(from), asFiles(to)),
        changes: diffValues(valuesOf(from), valuesOf(to)),
        missing: change.missing.map(({ kind, type }) => ({ kind, type })),
      },
    }
  })
  bind(rolloutRoutes.listPresets, () => ({ data: { items: presetNames.map(showPreset) } }))
}

/** A group that is edited may bring another plan along than it has; undefined: it does not. */
function planOf(change: object): RolloutPlan | null | undefined {
  return 'plan' in change ? (change.plan as RolloutPlan | null | undefined) : undefined // as: checked by the schema of the route
}

async function readSelectors(
  { readRevision, store }: PreviewRoutesOptions,
  group: string,
  numbers: readonly (number | null)[],
): Promise<Map<number, Selector>> {
  const selectors = new Map<number, Selector>()
  for (const number of new Set(numbers)) {
    const revision = number === null ? undefined : await readRevision(store.read, group, number)
    if (number !== null && revision !== undefined) selectors.set(number, revision.rule.selector)
  }
  return selectors
}

const fileName = 'merged configuration'

/** Secrets by their names and forms; values of `${drover:secret.…}` are not in it in the first place. */
function redacted(merged: string): string {
  if (merged.trim() === '') return ''
  return redactFiles([{ name: fileName, contentType: 'text/yaml', body: merged }])[0]?.body ?? ''
}

function asFiles(body: string): { name: string; contentType: string; body: string }[] {
  return body === '' ? [] : [{ name: fileName, contentType: 'text/yaml', body }]
}

function valuesOf(body: string): ConfigMap {
  const { document } = parseYaml(body, fileName)
  return isMap(document) ? document : {}
}

const presetNames: readonly PresetName[] = ['careful', 'standard', 'quick', 'everyone']

const presetWords: Readonly<Record<PresetName, { readonly title: string; readonly description: string }>> = {
  careful: {
    title: 'Careful',
    description: 'Three agents, then 1, 10, 50 and 100 %, each wave watched for an hour and compared with the agents that do not have it.',
  },
  standard: {
    title: 'Standard',
    description: 'Three agents, then five times as many each, up to 100 or a twentieth of the fleet at a time; each wave is watched for five minutes.',
  },
  quick: { title: 'Quick', description: 'One agent in a hundred, then one in ten, then the rest; each wave is watched for a minute.' },
  everyone: {
    title: 'Everyone at once',
    description: 'All agents at once. This is no staged rollout: nothing is learned before all have it, and it does not go back by itself.',
  },
}

function showPreset(name: PresetName) {
  const plan = presets[name]
  return { name, ...presetWords[name], staged: isStaged(plan), plan: structuredClone(plan) as unknown as ShownPlan, sentences: planSentences(plan) } // as: the same shape, and a copy may be written to
}
