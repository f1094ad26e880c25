/** How a change goes out, as somebody chooses it, and what that is for the server. Pure. */
import type { ApiClient, PresetName, RolloutPlan, RolloutPreview, RolloutStart } from '@drover/api'
import type { z } from 'zod'
import { timeText } from '../plan-text.ts'
import { planErrors } from './plan-form.ts'

/** The group as it is to become, or one of its revisions. */
export type RolloutChange = Parameters<ApiClient['previewRollout']>[0]['body']['change']

/** `group`: the plan of the group. `own`: one written for this change. */
export type Way = PresetName | 'group' | 'own'

export interface StartChoice {
  readonly way: Way
  /** Kept while another way is looked at. */
  readonly plan: RolloutPlan | undefined
  /** All at once was confirmed. */
  readonly sure: boolean
  readonly reason: string
}

export const firstChoice = (groupPlan: RolloutPlan | null): StartChoice => ({
  way: groupPlan === null ? 'standard' : 'group',
  plan: undefined,
  sure: false,
  reason: '',
})

export function startOf({ way, plan, reason }: StartChoice, draft: boolean): z.input<typeof RolloutStart> {
  const how = way === 'own' ? (plan === undefined ? {} : { plan }) : way === 'group' ? {} : { preset: way }
  return { ...how, ...(draft ? { draft } : {}), ...(reason.trim() === '' ? {} : { reason: reason.trim() }) }
}

/** Why it cannot be started as chosen, or undefined. */
export function startRefusal(choice: StartChoice, preview: RolloutPreview | undefined): string | undefined {
  if (choice.way === 'own' && choice.plan !== undefined && Object.keys(planErrors(choice.plan)).length > 0)
    return 'The plan has mistakes: mend the marked fields first'
  if (preview === undefined) return 'Wait until it is known whom this reaches'
  if (preview.findings.some(({ severity }) => severity === 'error')) return 'The change has errors: mend them first'
  if (choice.way === 'everyone' && !choice.sure) return 'Confirm first that all agents are to get it at once'
  return undefined
}

const agents = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'agent' : 'agents'}`

/** What the button that sends says. */
export function startLabel({ way }: StartChoice, preview: RolloutPreview | undefined): string {
  if (way !== 'everyone') return 'Start rollout'
  return preview === undefined ? 'Send to all at once' : `Send to all ${agents(preview.changing)} at once`
}

/** The whole change in a sentence. */
export function previewSentence({ agents: all, changing, waves, atLeastMs }: RolloutPreview): string {
  if (all === 0) return 'No agent is selected: nothing is sent now, and agents that come later get it.'
  const others = changing === all ? '' : ` of ${all.toLocaleString('en')}`
  if (changing === 0) return `None of ${agents(all)} gets another configuration.`
  const pace = waves.length === 1 ? 'all at once' : `in ${waves.length.toLocaleString('en')} waves`
  return `${changing.toLocaleString('en')}${others} ${all === 1 ? 'agent gets' : 'agents get'} another configuration, ${pace}${atLeastMs > 0 ? `, in no less than ${timeText(atLeastMs)}` : ''}.`
}

type Missing = RolloutPreview['waves'][number]['missing'][number]

/** What agents lack over all waves, the first wave that meets it named. */
export function missingInAll({ waves }: Pick<RolloutPreview, 'waves'>): readonly (Missing & { readonly wave: number })[] {
  const found = new Map<string, Missing & { readonly wave: number }>()
  waves.forEach(({ missing }, index) => {
    for (const one of missing) {
      const key = `${one.kind} ${one.type}`
      const known = found.get(key)
      found.set(
        key,
        known === undefined
          ? { ...one, wave: index }
          : { ...known, lacking: known.lacking + one.lacking, agents: [...known.agents, ...one.agents].slice(0, 5) },
      )
    }
  })
  return [...found.values()]
}

/** Both sides of a unified diff, as far as it shows them; `…` stands for what it leaves out. */
export function sidesOf(unified: string): { readonly before: string; readonly after: string } {
  const before: string[] = []
  const after: string[] = []
  for (const text of unified.split('\n')) {
    if (text.startsWith('---') || text.startsWith('+++') || text.startsWith('\\')) continue
    if (text.startsWith('@@')) {
      if (before.length + after.length > 0) for (const side of [before, after]) side.push('# …')
    } else if (text.startsWith('-')) before.push(text.slice(1))
    else if (text.startsWith('+')) after.push(text.slice(1))
    else if (text.startsWith(' ')) for (const side of [before, after]) side.push(text.slice(1))
  }
  return { before: before.join('\n'), after: after.join('\n') }
}
