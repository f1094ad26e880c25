/** Asks a program of the operator for a verdict. */
import { judgeWebhook } from '@drover/fleet'
import type { Gate, Verdict } from '@drover/fleet'
import { OutgoingError, signedHeaders } from '../outgoing/index.ts'
import type { Outgoing } from '../outgoing/index.ts'
import type { Clock, GateMember, GateQuestion } from '../seams.ts'

export interface AskWebhookOptions {
  readonly outgoing: Pick<Outgoing, 'send'>
  readonly signingSecret: (url: string) => string | undefined
  readonly clock: Clock
}

/** Counts tell how many there are; ids of so many are enough to look some of them up. */
const maxIds = 100

export async function askWebhook(
  { url }: Extract<Gate, { kind: 'webhook' }>,
  question: GateQuestion,
  { outgoing, signingSecret, clock }: AskWebhookOptions,
): Promise<Verdict> {
  const sentAt = clock.now()
  const body = JSON.stringify({ type: 'rollout.gate', timestamp: new Date(sentAt).toISOString(), data: describe(question) })
  const secret = signingSecret(url)
  const id = `${question.rollout}_${question.wave}_${question.round}`
  try {
    const answer = await outgoing.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', accept: 'application/json', ...(secret === undefined ? {} : signedHeaders(secret, { id, sentAt, body })) },
      body,
    })
    return judgeWebhook(
      answer.status >= 200 && answer.status < 300 ? { body: parseJson(answer.body.toString('utf8')) } : { problem: `status ${answer.status}` },
    )
  } catch (error) {
    if (error instanceof OutgoingError) return judgeWebhook({ problem: error.message })
    throw error
  }
}

function describe({ rollout, group, from, to, wave, round, since, now, changed, control }: GateQuestion): object {
  const list = (members: readonly GateMember[]) => ({ count: members.length, agents: members.slice(0, maxIds).map(({ id }) => id) })
  return {
    rollout,
    group,
    revision: to,
    previousRevision: from,
    /** From 1. */
    wave: wave + 1,
    round,
    soakSeconds: Math.max(0, Math.round((now - since) / 1000)),
    changed: list(changed),
    control: list(control),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
