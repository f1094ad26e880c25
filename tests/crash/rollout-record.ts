/** What the server tells of a rollout that is over, and what is wrong with it. */
import type { ApiClient, Event, Rollout, RolloutDecision, RolloutMember } from '@drover/api'
import type { CrashAgent } from './rollout-agents.ts'

export interface RolloutRecord {
  readonly rollout: Rollout
  /** Oldest first. */
  readonly decisions: readonly RolloutDecision[]
  readonly members: readonly RolloutMember[]
  /** Of this rollout, oldest first. */
  readonly events: readonly Event[]
  /** Revision that the group gives to all. */
  readonly current: number | null
}

export async function readRecord(api: ApiClient, rolloutId: string, afterEvent: number): Promise<RolloutRecord> {
  const params = { rolloutId }
  const [{ data: rollout }, decisions, members, events] = await Promise.all([
    api.getRollout({ params }),
    api.listRolloutDecisions({ params, query: { limit: 500 } }),
    api.listRolloutMembers({ params, query: { limit: 500 } }),
    api.listEvents({ query: { after: afterEvent, kind: 'rollout', limit: 500 } }),
  ])
  const { data: group } = await api.getGroup({ params: { name: rollout.group } })
  return {
    rollout,
    decisions: decisions.data.items.toReversed(),
    members: members.data.items,
    events: events.data.items.filter(({ data }) => data['rollout'] === rolloutId),
    current: group.current,
  }
}

/** What must be the same however often the server died: all but names, times and how agents took turns. */
export function endOf({ rollout, decisions, members, current }: RolloutRecord, agents: readonly CrashAgent[], number: number) {
  const stateOf = new Map(members.map(({ agentId, state }) => [agentId, state]))
  const isBack = rollout.state === 'rolledBack'
  return {
    state: rollout.state,
    isGiven: current === rollout.to ? 'the new revision' : current === rollout.from ? 'the one before' : current,
    decisions: decisions.map(({ kind, wave, cause }) => `${kind} ${wave} ${cause}`),
    waves: rollout.waves.map(({ label, agents: size }) => `${label}: ${size}`),
    agents: agents.map(({ id, ring, running }) => {
      const state = stateOf.get(id)
      // Whose turn it was when the change was taken back is a matter of milliseconds.
      const isSame = isBack && (state === 'pending' || state === 'restored')
      return `${ring} ${isSame ? 'pending or restored' : state} ${running === number ? 'runs the new configuration' : 'runs another one'}`
    }),
  }
}

/** The server came back: when, and on which of its starts, counted from 0. */
export interface Restart {
  readonly at: number
  readonly life: number
}

/** Sentences; empty: as it must be. */
export function findFaults(record: RolloutRecord, agents: readonly CrashAgent[], number: number, restart: Restart | undefined): readonly string[] {
  return [
    ...numberingFaults(record),
    ...waveFaults(record),
    ...countFaults(record),
    ...agents.flatMap(({ id, offers }) => {
      const first = offers.findIndex((offer) => offer.number === number)
      return [...repeatFaults(id, offers), ...(first < 0 ? [] : timeFaults(id, offers.slice(first), number, record, restart))]
    }),
  ]
}

/** Decisions count from 1 without a gap, and each is one event. */
function numberingFaults({ decisions, events }: RolloutRecord): readonly string[] {
  const expected = decisions.map((_, index) => index + 1).join(' ')
  const numbers = decisions.map(({ seq }) => seq).join(' ')
  const told = events.map(({ data }) => data['decision']).join(' ')
  return [
    ...(numbers === expected ? [] : [`decisions are numbered ${numbers}`]),
    ...(told === expected ? [] : [`events tell of decisions ${told}, and there are ${expected}`]),
  ]
}

/** Waves open one after the other, each after the one before has passed. */
function waveFaults({ decisions }: RolloutRecord): readonly string[] {
  const faults: string[] = []
  let [opened, passed] = [0, 0]
  for (const { kind, wave } of decisions) {
    if (kind === 'waveOpened') {
      if (wave !== opened || passed !== opened) faults.push(`wave ${wave} was opened after ${opened} were opened and ${passed} passed`)
      opened += 1
    } else if (kind === 'wavePassed') {
      if (wave !== passed || opened !== passed + 1) faults.push(`wave ${wave} passed after ${opened} were opened and ${passed} passed`)
      passed += 1
    }
  }
  return faults
}

function countFaults({ rollout, members }: RolloutRecord): readonly string[] {
  return rollout.waves.flatMap(({ counts }, wave) => {
    const counted: Record<string, number> = {}
    for (const member of members) if (member.wave === wave) counted[member.state] = (counted[member.state] ?? 0) + 1
    const [told, found] = [counts, counted].map((of) =>
      Object.entries(of)
        .filter(([, count]) => count > 0)
        .toSorted()
        .join(' '),
    )
    return told === found ? [] : [`wave ${wave} counts ${told}, its members are ${found}`]
  })
}

/**
 * Nobody is offered what it has said that it has. The same is offered again on the same connection only after it failed or another one came between;
 * on a new connection also when no answer had been heard, which changes nothing for an agent that has it already.
 */
function repeatFaults(id: string, offers: CrashAgent['offers']): readonly string[] {
  return offers.flatMap((offer, index) => {
    const { hash, number, connection, before } = offer
    if (before.hash === hash && before.status === 'applied') return [`${id} was offered ${number} although it had said that it runs it`]
    const last = offers[index - 1]
    const isRepeated = last?.hash === hash && last.connection === connection && before.status !== 'failed'
    return isRepeated ? [`${id} was offered ${number} twice on connection ${connection}, ${offer.at - last.at} ms apart`] : []
  })
}

/** Between a decision that is being written and the offers that were on their way meanwhile. */
const onTheWayMs = 5_000

/** Nobody gets it before its wave is open, nor once it is taken back: not at all on a later start of the server, and but for what was on its way on the same one. */
function timeFaults(
  id: string,
  offers: CrashAgent['offers'],
  number: number,
  { members, decisions }: RolloutRecord,
  restart: Restart | undefined,
): readonly string[] {
  const wave = members.find(({ agentId }) => agentId === id)?.wave
  const timeOf = (decision: RolloutDecision | undefined) => (decision === undefined ? Number.POSITIVE_INFINITY : Date.parse(decision.at))
  const openedAt = timeOf(decisions.find((decision) => decision.kind === 'waveOpened' && decision.wave === wave))
  const takenBackAt = timeOf(decisions.find(({ kind }) => kind === 'rollingBack'))
  // Who fails it has the one before at once, and may be tried again until it is taken back.
  const back = offers.findIndex((offer) => offer.number !== number && offer.at >= takenBackAt)
  return offers.flatMap((offer, index) => {
    if (offer.number !== number) return []
    const what = `${id} of wave ${wave} was offered ${number}`
    const isTold = restart !== undefined && takenBackAt < restart.at && offer.life >= restart.life
    return [
      ...(offer.at < openedAt ? [`${what} ${openedAt - offer.at} ms before its wave was opened`] : []),
      ...(isTold || offer.at > takenBackAt + onTheWayMs ? [`${what} ${offer.at - takenBackAt} ms after it was taken back`] : []),
      ...(back >= 0 && index > back ? [`${what} again after ${offers[back]?.number}`] : []),
    ]
  })
}
