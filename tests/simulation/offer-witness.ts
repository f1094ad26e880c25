/** Watches what is sent: every offer was stored before, and the stored rollouts allow it. Knows nothing of how the driver decides. */
import { type Decision, memberTraits } from '@drover/fleet'
import type { Offer } from './agent.ts'
import { idOf, planOf, revisionsIn } from './desired.ts'
import { broken } from './invariant.ts'
import { type GroupName, groupNames, type Scenario } from './scenario.ts'
import type { Before, Change, MemoryStore, Row } from './store.ts'

export class OfferWitness {
  private readonly scenario: Scenario
  private readonly store: MemoryStore
  /** Newest revision of each group that each Agent was sent. */
  private readonly sent = new Map<string, Partial<Record<GroupName, number>>>()
  /** Highest revision of each group that was taken back. */
  private readonly takenBack: Partial<Record<GroupName, number>> = {}
  /** Hashes that an Agent failed, and that were not sent to it since. */
  private readonly failures = new Map<string, Set<string>>()
  /** How often what an Agent failed was sent to it again, since a person last decided something. */
  private readonly again = new Map<string, number>()
  /** Likewise of what it should go back to, since a change was last taken back. */
  private readonly backAgain = new Map<string, number>()
  /** How often each Agent connected since then: whoever returns is tried again. */
  private readonly returns = new Map<string, number>()
  /** How often a person wants it once more. */
  private wanted = 0

  constructor(scenario: Scenario, store: MemoryStore) {
    this.scenario = scenario
    this.store = store
  }

  onStored({ rows, gone }: Change, was: Before): void {
    for (let index = 0; index < rows.length; index++) {
      const [row, before] = [rows[index], was.rows[index]?.row]
      if (row === undefined) continue
      if (before !== undefined && before.facts !== row.facts) this.onRelabelled(row.agent)
      if (before !== undefined && before.ledger !== row.ledger) this.noteFailure(row, before)
      if (before !== undefined && before.settings.failed !== row.settings.failed && row.settings.status?.status === 'failed')
        this.failuresOf(row.agent).add(row.settings.status.hash)
    }
    for (const agent of gone) {
      this.sent.delete(agent)
      this.failures.delete(agent)
    }
  }

  /** In its groups it is as new. */
  private onRelabelled(agent: string): void {
    this.sent.delete(agent)
    for (const key of this.again.keys()) if (key.startsWith(`${agent} `)) this.again.delete(key)
  }

  private noteFailure({ agent, ledger: { reported } }: Row, { ledger: before }: Row): void {
    // It works after all, or a word from before came late: either way that is what it says now.
    if (reported?.status === 'applied') this.failures.get(agent)?.delete(reported.hash)
    if (reported?.status !== 'failed') return
    const isRepeated = before.reported?.status === 'failed' && before.reported.hash === reported.hash
    if (!isRepeated) this.failuresOf(agent).add(reported.hash)
  }

  private failuresOf(agent: string): Set<string> {
    const known = this.failures.get(agent) ?? new Set()
    this.failures.set(agent, known)
    return known
  }

  onDecision(group: GroupName, { kind }: Decision): void {
    if (kind === 'retrying') {
      this.again.clear()
      // Who failed longest ago is tried first: with a clock that jumps the same one may be so again, and only their number is bounded.
      this.wanted = this.scenario.faults.includes('clockJump') ? Number.POSITIVE_INFINITY : 1
    }
    const rollout = this.store.groups.get(group)?.rollout
    if (kind === 'rollingBack' || kind === 'retrying') {
      this.backAgain.clear()
      this.returns.clear()
    }
    if (kind === 'rollingBack' && rollout != null) this.takenBack[group] = Math.max(this.takenBack[group] ?? 0, rollout.to)
  }

  onConnected(agent: string): void {
    this.returns.set(agent, (this.returns.get(agent) ?? 0) + 1)
  }

  onSend(agent: string, { config, settings }: Offer): void {
    const row = this.store.rows.get(agent)
    if (row === undefined) return broken('sent-to-a-stranger', `${agent} left and is sent ${config ?? settings}`)
    if (config !== null) this.checkConfig(row, config)
    if (settings !== null) {
      if (row.settings.offered !== settings) broken('sent-before-stored', `${agent} is sent settings ${settings}, which are not stored as offered`)
      this.checkParts(row, settings)
      this.checkFailed(row, settings)
    }
  }

  private checkConfig(row: Row, hash: string): void {
    const attempt = row.ledger.attempts.findLast((one) => one.hash === hash)
    if (attempt === undefined || attempt.state !== 'offered')
      return broken('sent-before-stored', `${row.agent} is sent ${hash}, which is not stored as offered`)
    this.checkFailed(row, hash)
    // Back to what worked for it last: that is its own, whatever the groups want.
    if (attempt.reason === 'restore') return
    this.checkParts(row, hash)
    this.checkDirection(row, hash)
  }

  /** Every revision in it is one that the stored rollouts give this Agent. */
  private checkParts(row: Row, hash: string): void {
    for (const { group: name, revision } of revisionsIn(hash)) {
      const group = this.store.groups.get(name)
      const rollout = group?.rollout ?? null
      if (group === undefined || rollout === null || revision !== rollout.to) continue
      const { agent } = row
      if (rollout.state === 'rollingBack' || rollout.state === 'rolledBack')
        return broken('sent-what-was-taken-back', `${agent} is sent ${hash}, and ${rollout.id} was taken back`)
      const member = this.store.durableRow(agent)?.members[name]
      // Whoever came after the end is given what the group has.
      if (rollout.state === 'completed' && (member === undefined || member.holds === revision)) continue
      if (member === undefined || memberTraits[member.state].side !== 'target')
        return broken('sent-outside-the-wave', `${agent} is sent ${hash}, but on disk it is ${member?.state ?? 'no member'} in ${rollout.id}`)
      if (rollout.waves[member.wave]?.openedAt === null)
        return broken('sent-outside-the-wave', `${agent} is sent ${hash}, but wave ${member.wave + 1} of ${rollout.id} is not open`)
    }
  }

  /** It never goes back to an earlier revision unless a later one was taken back. */
  private checkDirection({ agent }: Row, hash: string): void {
    const known = this.sent.get(agent) ?? {}
    for (const { group, revision } of revisionsIn(hash)) {
      const last = known[group] ?? 0
      if (revision < last && (this.takenBack[group] ?? 0) < last)
        broken('went-back-by-itself', `${agent} is sent ${hash} after ${idOf(group, last)}, which nobody took back`)
      known[group] = revision
    }
    this.sent.set(agent, known)
  }

  /** What it failed is sent again only as often as the plans say, or when a person wants it. */
  private checkFailed({ agent, members }: Row, hash: string): void {
    if (this.failures.get(agent)?.delete(hash) !== true) return
    const key = `${agent} ${hash}`
    const goesBack = groupNames.some((name) => members[name] !== undefined && memberTraits[members[name].state].side === 'back')
    if (goesBack) return this.checkBackAgain(agent, hash)
    const times = (this.again.get(key) ?? 0) + 1
    this.again.set(key, times)
    const allowed = groupNames.reduce((sum, name) => sum + planOf(this.scenario, name).retries.count, this.wanted)
    if (times > allowed) broken('sent-what-it-failed', `${agent} failed ${hash} and is sent it again without a decision`)
  }

  /** One that goes back has a few tries for each group that may take something back, and one whenever it returns. */
  private checkBackAgain(agent: string, hash: string): void {
    const key = `${agent} ${hash}`
    const times = (this.backAgain.get(key) ?? 0) + 1
    this.backAgain.set(key, times)
    const tries = groupNames.reduce((sum, name) => sum + Math.max(3, planOf(this.scenario, name).retries.count + 1), this.wanted)
    const allowed = tries + groupNames.length * (this.returns.get(agent) ?? 0)
    if (times > allowed) broken('sent-what-it-failed', `${agent} goes back and failed ${hash}, and is sent it for the ${times}th time since`)
  }
}
