/** The figures of rollouts as a page: what was measured, what was aimed at, and whether it was reached. */

export interface PushTimes {
  readonly agents: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastMs: number
}

/** Bounds of a histogram: so long or less. */
export interface TurnTimes {
  readonly turns: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly slowestMs: number
  readonly within10Ms: number
}

export interface WaveFigures {
  readonly wave: number
  readonly push: PushTimes
  readonly untilOutcomesMs: number
}

interface RolloutCost {
  readonly seconds: number
  readonly cpuSeconds: number
}

export interface Figures {
  readonly agents: number
  readonly configBytes: number
  readonly concurrency: number
  readonly restSeconds: number
  readonly connectSeconds: number
  readonly restPercent: number
  readonly restBytes: number
  readonly everyone: RolloutCost & { readonly push: PushTimes }
  readonly waves: RolloutCost & {
    readonly waves: readonly WaveFigures[]
    readonly soakingPercent: number
    readonly worstDelayMs: number
    readonly rules: TurnTimes
    readonly turn: TurnTimes
  }
  readonly rollback: RolloutCost & { readonly push: PushTimes }
  readonly residentBytes: number
  readonly peakBytes: number
}

export interface Machine {
  readonly cores: number
  readonly node: string
  /** Processes that wanted a core in the minute before. */
  readonly load: number
}

const targetMs = { push50: 250, push99: 600, turn: 10 }

const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })
const ms = (value: number) => `${count(value)} ms`
const seconds = (value: number) => `${value.toLocaleString('en', { maximumFractionDigits: 1 })} s`
const mb = (bytes: number) => `${count(bytes / 1e6)} MB`
const percent = (value: number) => `${value.toFixed(1)} %`
const against = (isReached: boolean, target: string) => `${target}: ${isReached ? 'reached' : '**missed**'}`

function pushTarget({ p50Ms, p99Ms }: PushTimes): string {
  return against(p50Ms <= targetMs.push50 && p99Ms <= targetMs.push99, `P50 ${targetMs.push50} ms, P99 ${targetMs.push99} ms`)
}

const pushCells = ({ agents, p50Ms, p99Ms, lastMs }: PushTimes) => `${count(agents)} | ${ms(p50Ms)} | ${ms(p99Ms)} | ${ms(lastMs)}`

function turnRow(what: string, { turns, p50Ms, p99Ms, slowestMs, within10Ms }: TurnTimes, isAimed: boolean): string {
  const bound = (value: number) => (Number.isFinite(value) ? `≤ ${value.toLocaleString('en')} ms` : '> 1 s')
  const share = `${percent((100 * within10Ms) / Math.max(1, turns))} within ${targetMs.turn} ms`
  return `| ${what} | ${count(turns)} | ${bound(p50Ms)} | ${bound(p99Ms)} | ${bound(slowestMs)} | ${isAimed ? against(slowestMs <= targetMs.turn, share) : share} |`
}

/** Markdown. */
export function rolloutPage(figures: Figures, machine: Machine): string {
  const { agents, waves, everyone, rollback, concurrency } = figures
  const perAgentMs = (everyone.cpuSeconds * 1000) / agents
  const waveRow = ({ wave, push, untilOutcomesMs }: WaveFigures) => {
    const isLimited = push.agents > concurrency
    return `| wave ${wave} | ${pushCells(push)} | ${ms(untilOutcomesMs)} | ${isLimited ? `waits for outcomes: at most ${count(concurrency)} are under way` : pushTarget(push)} |`
  }
  return `# Figures of rollouts

Made by \`node tests/bench/rollout.ts --write\` on ${machine.cores} cores, Node ${machine.node}, which the server shares with the ${count(agents)} scripted agents, one
process with ${count(agents)} WebSockets. Load of the machine in the minute before it began: ${machine.load.toFixed(1)}. Each agent applies a configuration of
${mb(figures.configBytes).replace(/^.*$/, `${figures.configBytes / 1000} KB`)} in 200 ms, and reports as the stock supervisor does (applying, health, effective configuration, applied).

## From decision to last byte

From the time of the decision in the log until the last byte is with the agent. Agents read it in their own, shared process.

| | agents | P50 | P99 | last | until all outcomes | aimed at |
|---|---:|---:|---:|---:|---:|---|
${waves.waves.map(waveRow).join('\n')}
| everyone at once | ${pushCells(everyone.push)} | ${ms(everyone.seconds * 1000)} | ${pushTarget(everyone.push)} |
| taken back from everyone | ${pushCells(rollback.push)} | ${ms(rollback.seconds * 1000)} | all back within 60 s: ${rollback.seconds <= 60 ? 'reached' : '**missed**'} |

The waves are 100 agents, 10 %, 50 % and 100 %, with at most ${count(concurrency)} under way. In the first one the time includes writing down all members.

Offers do not go before everything else: each is written down first, and what agents that have theirs report is taken in between. An agent costs the server
${perAgentMs.toFixed(1)} ms of one core from its offer to its outcome, about five messages and three events, so that ${count(agents)} at once keep a core busy for ${seconds(everyone.cpuSeconds)} whatever
the order. The targets are of an offer to all without any of that; waves are there so that nobody needs it.

## The engine

One turn takes in what was heard of up to 100 agents and releases up to 100 more.

| In the rollout in waves | turns | P50 | P99 | slowest | |
|---|---:|---:|---:|---:|---|
${turnRow('deciding, which holds the event loop', waves.rules, true)}
${turnRow('whole turn, with its transaction and waiting for it', waves.turn, false)}

A turn that is taken off its core, which others use as well, counts with the time that it waited. The event loop was late by ${ms(waves.worstDelayMs)} at most during that
rollout, whatever held it.

## Cost of the server

| | |
|---|---:|
| ${count(agents)} agents connect and are healthy | ${seconds(figures.connectSeconds)} |
| CPU at rest, of one core, over ${figures.restSeconds} s | ${percent(figures.restPercent)} |
| CPU while a wave of the rollout is watched, of one core, over ${figures.restSeconds} s | ${percent(waves.soakingPercent)} |
| CPU of the rollout in waves, reports of the agents included | ${seconds(waves.cpuSeconds)} in ${seconds(waves.seconds)} |
| CPU of the rollout to everyone | ${seconds(everyone.cpuSeconds)} in ${seconds(everyone.seconds)} |
| CPU of taking it back from everyone | ${seconds(rollback.cpuSeconds)} in ${seconds(rollback.seconds)} |
| resident memory at rest | ${mb(figures.restBytes)} |
| after these rollouts | ${mb(figures.residentBytes)} |
| at most | ${mb(figures.peakBytes)} |
`
}
