/** What tests see of one agent: connected, and in a rollout that is under way, unless they say otherwise. */
import { type Member, observeMember, type Sight } from './member.ts'
import type { Outcome } from './outcome.ts'
import { defaultPlan } from './plan.ts'

export const sight = (outcome: Outcome, more: Partial<Sight> = {}): Sight => ({
  outcome,
  offlineSince: null,
  connectedSince: null,
  busy: false,
  standing: 'underWay',
  ...more,
})

export const see = (member: Member, outcome: Outcome, now: number, more: Partial<Sight> = {}): Member =>
  observeMember(defaultPlan, member, sight(outcome, more), now)
