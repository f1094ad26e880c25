/** How much one agent may send: requests and bytes, each refilled by looking at the clock. */

export interface AllowanceRule {
  readonly requestsPerSecond: number
  readonly requestsBurst: number
  readonly bytesPerSecond: number
  readonly bytesBurst: number
}

interface Account {
  requests: number
  bytes: number
  filledAtMs: number
}

export class Allowances {
  readonly #rule: AllowanceRule
  readonly #accounts = new Map<string, Account>()

  constructor(rule: AllowanceRule) {
    this.#rule = rule
  }

  /** Whether one more request may be read. */
  take(agentId: string, nowMs: number): boolean {
    const account = this.#fill(agentId, nowMs)
    if (account.requests < 1 || account.bytes <= 0) return false
    account.requests--
    return true
  }

  /** How much a request was is known only after it was read, so an account may go below zero; it has to recover first. */
  charge(agentId: string, bytes: number, nowMs: number): void {
    this.#fill(agentId, nowMs).bytes -= bytes
  }

  /** Forgets accounts that would be full by now. */
  prune(nowMs: number): void {
    const { requestsPerSecond, requestsBurst, bytesPerSecond, bytesBurst } = this.#rule
    const fullAfterMs = 2000 * Math.max(requestsBurst / requestsPerSecond, bytesBurst / bytesPerSecond)
    for (const [agentId, { filledAtMs }] of this.#accounts) if (Math.abs(nowMs - filledAtMs) > fullAfterMs) this.#accounts.delete(agentId)
  }

  #fill(agentId: string, nowMs: number): Account {
    const { requestsPerSecond, requestsBurst, bytesPerSecond, bytesBurst } = this.#rule
    let account = this.#accounts.get(agentId)
    if (account === undefined) this.#accounts.set(agentId, (account = { requests: requestsBurst, bytes: bytesBurst, filledAtMs: nowMs }))
    const elapsed = Math.max(0, nowMs - account.filledAtMs) / 1000
    account.requests = Math.min(requestsBurst, account.requests + elapsed * requestsPerSecond)
    account.bytes = Math.min(bytesBurst, account.bytes + elapsed * bytesPerSecond)
    account.filledAtMs = nowMs
    return account
  }
}
