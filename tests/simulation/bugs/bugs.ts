/** Bugs that somebody could have made, as patches of one place each. The simulation has to find them. */

export interface PlantedBug {
  readonly name: string
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once. */
  readonly find: string
  readonly replace: string
  /** Why so few seeds do not find it; absent: they do. */
  readonly missed?: string
}

/** The text of its file with the bug in it. Throws when the code has moved away from under it. */
export function plant({ name, file, find, replace }: PlantedBug, text: string): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`the place of the bug "${name}" occurs ${parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

const engine = 'libs/fleet/src/rollout'
const driver = 'tests/simulation/driver.ts'
const turn = 'tests/simulation/turn.ts'

export const plantedBugs: readonly PlantedBug[] = [
  { name: 'writes are not synced', file: driver, find: 'const sync = decisions.length > 0', replace: 'const sync = decisions.length < 0' },
  {
    name: 'only decisions are synced, releases are not',
    file: driver,
    find: ' || changed.some((row) => matters(this.rows.get(row.agent), row))',
    replace: '',
  },
  {
    name: 'what an agent failed is not synced',
    file: 'tests/simulation/rows.ts',
    find: 'return hasNewFailure(before, row) || groupNames',
    replace: 'return groupNames',
  },
  { name: 'sends before it stores', file: driver, find: '    this.transact([this.observed(offered, now)])\n', replace: '' },
  {
    name: 'members and counters are stored apart',
    file: driver,
    find: '    this.store.commit({ rows: changed, gone: gone === null ? [] : [gone.agent], groups, decisions }, sync)',
    replace:
      '    this.store.commit({ rows: changed, gone: gone === null ? [] : [gone.agent], groups: [], decisions: [] }, sync)\n    this.store.commit({ rows: [], gone: [], groups, decisions }, sync)',
  },
  {
    name: 'a start goes on without what was left undone',
    file: driver,
    find: '      this.enqueue(name, outstandingEffects(planOf(this.scenario, name), rollout))',
    replace: '      this.enqueue(name, outstandingEffects(planOf(this.scenario, name), rollout).slice(0, 0))',
  },
  {
    name: 'a late word of an old connection ends the new one',
    file: driver,
    find: 'if (this.sessions.get(agent)?.connection !== connection) return\n    this.sessions.delete',
    replace: 'if (!this.sessions.has(agent)) return\n    this.sessions.delete',
  },
  {
    name: 'forgets at a newer revision what members hold',
    file: turn,
    find: 'createMember(placement, revisionFor(current, old, row.members[name] ?? null).revision, now)',
    replace: 'createMember(placement, current, now)',
  },
  {
    name: 'would go back to what was under way',
    file: turn,
    find: 'const draft = createRollout({ id: idOf(name, to), group: name, from: current, to })',
    replace: 'const draft = createRollout({ id: idOf(name, to), group: name, from: old?.to ?? current, to })',
  },
  {
    name: 'the group has the revision before the rollout is completed',
    file: 'tests/simulation/rows.ts',
    find: "if (rollout.state === 'completed') return rollout.to",
    replace: "if (rollout.state === 'completed' || rollout.state === 'soaking') return rollout.to",
  },
  {
    name: 'counts moves twice',
    file: turn,
    find: "[{ kind: 'moved' as const, moves }]",
    replace: "[{ kind: 'moved' as const, moves: moves.flatMap((move) => [move, move]) }]",
  },
  {
    name: 'one more than the limit may be under way',
    file: `${engine}/progress.ts`,
    find: 'Math.max(0, concurrency - waves',
    replace: 'Math.max(0, concurrency + 1 - waves',
  },
  { name: 'releases the next wave too', file: `${engine}/progress.ts`, find: 'index > current ? 0', replace: 'index > current + 1 ? 0' },
  { name: 'does not wait for the last of a wave', file: `${engine}/progress.ts`, find: '- wave.lateBlocking <= 0', replace: '- wave.lateBlocking <= 1' },
  {
    name: 'ignores the maintenance window once a wave is open',
    file: `${engine}/advance.ts`,
    find: '!isOpenAt(plan.schedule.windows, rollout.now) && hasPending',
    replace: '!isOpenAt([], rollout.now) && hasPending',
  },
  {
    name: 'ignores the time to start',
    file: `${engine}/hindrance.ts`,
    find: 'notBefore !== null && now < notBefore',
    replace: 'notBefore !== null && now < 0',
  },
  {
    name: 'needs no approval',
    file: `${engine}/hindrance.ts`,
    find: 'if (approval !== null && !rollout',
    replace: 'if (approval !== null && now < 0 && !rollout',
  },
  {
    name: 'takes the approval of whoever started it',
    file: `${engine}/step.ts`,
    find: 'rollout.hindrance.byAnother && (by === null || by === rollout.startedBy)',
    replace: 'rollout.hindrance.byAnother && by === null',
  },
  { name: 'does not wait for older rollouts', file: `${engine}/hindrance.ts`, find: 'if (blockers.length > 0)', replace: 'if (blockers.length > 1)' },
  { name: 'takes agents away from older rollouts', file: `${engine}/member.ts`, find: "busy ? 'busy' : isAway", replace: 'isAway' },
  {
    name: 'takes inconclusive for a pass',
    file: `${engine}/advance.ts`,
    find: "soak.gates.every(({ verdict }) => verdict === 'pass')",
    replace: "soak.gates.every(({ verdict }) => verdict !== 'fail')",
  },
  {
    name: 'passes a wave when its soak is half over',
    file: `${engine}/rollout.ts`,
    find: 'const until = rollout.now + (rollout.waves[rollout.wave]?.soakMs ?? 0)',
    replace: 'const until = rollout.now + (rollout.waves[rollout.wave]?.soakMs ?? 0) / 2',
  },
  {
    name: 'counts what the clock was set forward by as watched',
    file: `${engine}/step.ts`,
    find: 'return prolongSoak(rollout, event.byMs)',
    replace: 'return rollout',
  },
  {
    name: 'skips a wave',
    file: `${engine}/advance.ts`,
    find: 'awaitWave(noted, noted.wave + 1)',
    replace: 'awaitWave(noted, Math.min(noted.wave + 2, noted.waves.length - 1))',
  },
  { name: 'allows one more bad agent than the budget', file: `${engine}/judge.ts`, find: 'return bad > maxCount &&', replace: 'return bad > maxCount + 1 &&' },
  {
    name: 'has no deadline',
    file: `${engine}/advance.ts`,
    find: 'if (deadlineAt === null || now < deadlineAt) return null',
    replace: 'if (deadlineAt === null || now > 0) return null',
  },
  { name: 'believes a clock that jumps back', file: `${engine}/step.ts`, find: 'now: Math.max(rollout.now, now)', replace: 'now' },
  { name: 'is back before everybody is', file: `${engine}/advance.ts`, find: 'if (restoring > 0) return rollout\n', replace: '' },
  {
    name: 'gives the change to whoever had it, while it is taken back',
    file: `${engine}/revision-for.ts`,
    find: "    case 'rollingBack':\n    case 'rolledBack':\n      return { revision: rollout.from, because: 'back' }\n",
    replace: "    case 'rolledBack':\n      return { revision: rollout.from, because: 'back' }\n    case 'rollingBack':\n",
  },
  {
    name: 'gives everybody the change once it is completed',
    file: `${engine}/revision-for.ts`,
    find: "if (member === null && rollout.state === 'completed')",
    replace: "if (rollout.state === 'completed')",
  },
  {
    name: 'puts whoever has the change back into the queue',
    file: `${engine}/member.ts`,
    find: "return pushedAt === null ? 'away' : 'lost'",
    replace: "return 'away'",
    missed: 'it needs an Agent that is away for two minutes just while an older change of another group reaches it',
  },
  {
    name: 'never tries again who fails to go back',
    file: `${engine}/member.ts`,
    find: "return tries < restoreTries(plan) ? 'restoreRetrying' : 'restoreFailed'",
    replace: "return 'restoreFailed'",
  },
  {
    name: 'tries who fails to go back for ever',
    file: `${engine}/member.ts`,
    find: "return tries < restoreTries(plan) ? 'restoreRetrying' : 'restoreFailed'",
    replace: "return tries < 99 ? 'restoreRetrying' : 'restoreFailed'",
  },
  {
    name: 'gives up for good who failed to go back three times',
    file: `${engine}/member.ts`,
    find: "if (state !== 'restoreRetrying') return null",
    replace: "if (state !== 'restoreRetrying' || tries >= 3) return null",
  },
  {
    name: 'lets the rollout of another group change one that is over',
    file: `${engine}/member.ts`,
    find: 'return settled || (standing',
    replace: 'return (standing',
  },
  {
    name: 'tries again what the rollout of another group made fail',
    file: 'tests/simulation/desired.ts',
    find: "!isBefore(row, other)) return 'elsewhere'",
    replace: "!isBefore(row, other)) return 'over'",
  },
  {
    name: 'tries those that fail again for ever',
    file: `${engine}/step.ts`,
    find: 'return left <= 0 ? null : { ...sweep, left }',
    replace: 'return left < 0 ? null : sweep',
  },
  {
    name: 'offers what an agent failed again',
    file: 'libs/fleet/src/offer.ts',
    find: '  return !retrying\n',
    replace: '  return !retrying && latest === undefined\n',
  },
]
