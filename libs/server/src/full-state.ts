/** When to ask an agent for its full state: once per gap, never in a loop, and never forgotten. Pure. */

export interface FullStateRequests {
  /** Since the last answer. */
  readonly unanswered: number
  readonly askedAtMs: number
  /** Since `windowAtMs`: an agent that answers each request and leaves gaps again must not be asked without end. */
  readonly inWindow: number
  readonly windowAtMs: number
}

export interface FullStateRule {
  readonly fullStateRetryMs: number
  readonly fullStateMaxRetryMs: number
}

export const noRequests: FullStateRequests = { unanswered: 0, askedAtMs: 0, inWindow: 0, windowAtMs: 0 }

/** Answered requests that may follow each other at once, per `fullStateRetryMs`. */
const promptRequests = 3

export function mayAsk(requests: FullStateRequests, nowMs: number, rule: FullStateRule): boolean {
  if (requests.unanswered === 0) return requests.inWindow < promptRequests || nowMs - requests.windowAtMs >= rule.fullStateRetryMs
  return nowMs - requests.askedAtMs >= Math.min(rule.fullStateMaxRetryMs, rule.fullStateRetryMs * 2 ** (requests.unanswered - 1))
}

/** A request goes out now. */
export function asked(requests: FullStateRequests, nowMs: number, rule: FullStateRule): FullStateRequests {
  const isNewWindow = requests.inWindow === 0 || nowMs - requests.windowAtMs >= rule.fullStateRetryMs
  return {
    unanswered: requests.unanswered + 1,
    askedAtMs: nowMs,
    inWindow: isNewWindow ? 1 : requests.inWindow + 1,
    windowAtMs: isNewWindow ? nowMs : requests.windowAtMs,
  }
}

/** Nothing is owed any more. */
export function answered(requests: FullStateRequests): FullStateRequests {
  return requests.unanswered === 0 ? requests : { ...requests, unanswered: 0 }
}
