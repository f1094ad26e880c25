/** Asks gates in the background and tells the rollout what they said. Asking twice does no harm: a verdict counts once in its round. */
import type { Effect, Verdict } from '@drover/fleet'
import { memberTraits } from '@drover/fleet'
import type { Logger } from 'pino'
import type { FleetForRollouts, GateMember, GateQuestion, JudgeGate } from '../../seams.ts'
import type { Deadlines } from '../part.ts'
import type { LiveRollout } from './live-rollout.ts'

export interface GatesOptions {
  readonly judge: JudgeGate
  readonly fleet: () => FleetForRollouts
  readonly deadlines: Deadlines
  readonly now: () => number
  readonly log: Pick<Logger, 'error'>
  /** The rollout has something to take in. */
  readonly onVerdict: (live: LiveRollout) => void
}

type Ask = Extract<Effect, { kind: 'ask' }>

/** Longer than any gate takes by its own limits. */
const answerLimitMs = 30_000
const maxControl = 1_000

export class Gates {
  readonly #options: GatesOptions
  #isFaultLogged = false

  constructor(options: GatesOptions) {
    this.#options = options
  }

  ask(live: LiveRollout, effect: Ask): void {
    for (const gate of effect.gates) {
      const key = `${effect.round}/${gate}`
      if (live.asked.has(key)) continue
      live.asked.add(key)
      void this.#judge(live, effect, gate).then((verdict) => {
        live.asked.delete(key)
        live.inbox.push({ kind: 'verdict', round: effect.round, gate, verdict })
        this.#options.onVerdict(live)
      })
    }
  }

  async #judge(live: LiveRollout, effect: Ask, index: number): Promise<Verdict> {
    const gate = live.plan.gates[index]
    if (gate === undefined) return inconclusive('the plan has no such gate')
    try {
      return await this.#within(this.#options.judge(gate, askAbout(live, effect, this.#options.fleet(), this.#options.now())))
    } catch (error) {
      if (!this.#isFaultLogged) this.#options.log.error({ err: error, rollout: live.id, gate: gate.kind }, 'gate could not be judged')
      this.#isFaultLogged = true
      return inconclusive('it could not be judged because of a fault inside Drover, which is in its log')
    }
  }

  async #within(answer: Promise<Verdict>): Promise<Verdict> {
    const tooLate = Promise.withResolvers<Verdict>()
    const deadline = this.#options.deadlines.after(answerLimitMs, () => tooLate.resolve(inconclusive(`no answer within ${answerLimitMs / 1000} s`)))
    try {
      return await Promise.race([answer, tooLate.promise])
    } finally {
      deadline.cancel()
    }
  }
}

const inconclusive = (text: string): Verdict => ({ verdict: 'inconclusive', text, numbers: {} })

const unknownBefore = { healthy: null, drifted: null }

export function askAbout(live: LiveRollout, { wave, round }: Ask, fleet: FleetForRollouts, now: number): GateQuestion {
  const { rollout } = live
  const changed: GateMember[] = []
  for (const { member, before } of live.entries.values())
    if (member.wave === wave && member.state === 'applied') changed.push({ id: member.agent, pushedAt: member.pushedAt, before: before ?? unknownBefore })
  return {
    rollout: live.id,
    group: live.group,
    from: rollout.from,
    to: rollout.to,
    wave,
    round,
    changed,
    control: controlOf(live, fleet),
    since: rollout.state === 'soaking' ? rollout.soak.since : now,
    now,
  }
}

/** Those who come next without it: first by wave, then by their place in it. */
function controlOf(live: LiveRollout, fleet: FleetForRollouts): GateMember[] {
  const control: GateMember[] = []
  const isControl = (agent: string): boolean => {
    const state = live.entries.get(agent)?.member.state
    return state !== undefined && memberTraits[state].side === 'before'
  }
  for (let wave = live.rollout.wave; wave < live.rollout.waves.length && control.length < maxControl; wave++) {
    for (const id of live.nextPending(wave, Number.POSITIVE_INFINITY, isControl)) {
      const agent = fleet.agent(id)
      if (agent === undefined || agent.offlineSince !== null) continue
      control.push({ id, pushedAt: null, before: { healthy: agent.healthy, drifted: agent.drifted } })
      if (control.length === maxControl) break
    }
  }
  return control
}
