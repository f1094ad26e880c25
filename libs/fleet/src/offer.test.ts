import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allowRetry, createLedger, emptyLedger, lastGoodHash, type Ledger, nextDeadline, onStatus, openAttempt, timeOutAttempt, verdict } from './ledger.ts'
import { heldBack, offerDecision, type OfferInput } from './offer.ts'

/** An agent as the control plane sees it: decides, sends, hears. */
class Agent {
  ledger: Ledger = emptyLedger
  desired: string | null = null
  lastOffered: string | null = null
  now = 0
  input: Partial<OfferInput> = {}
  notices: unknown[] = []

  get decision() {
    return offerDecision({
      desired: this.desired,
      accepts: true,
      reports: true,
      connected: true,
      complete: true,
      baseline: null,
      lastOffered: this.lastOffered,
      ledger: this.ledger,
      ...this.input,
    })
  }

  /** Decides and sends; what was offered and why, or the state. */
  decide(): string {
    const { decision } = this
    if (decision.kind === 'none') return decision.state
    this.ledger = openAttempt(this.ledger, { hash: decision.hash, reason: decision.reason, now: ++this.now }).ledger
    this.lastOffered = decision.hash
    return `offer ${decision.hash} ${decision.reason}`
  }

  says(status: 'unset' | 'applying' | 'applied' | 'failed', hash: string, errorMessage = ''): string {
    const step = onStatus(this.ledger, { hash, status, errorMessage, now: ++this.now, desired: this.desired })
    this.ledger = step.ledger
    if (step.notice !== null) this.notices.push(step.notice)
    return this.decide()
  }

  wants(hash: string | null): string {
    this.desired = hash
    return this.decide()
  }

  reconnects(): string {
    this.lastOffered = null
    return this.decide()
  }

  states(): string[] {
    return this.ledger.attempts.map(({ hash, state, reason }) => `${hash} ${state} ${reason}`)
  }

  static running(hash: string): Agent {
    const agent = new Agent()
    agent.wants(hash)
    agent.says('applied', hash)
    return agent
  }
}

describe('offerDecision', () => {
  it('offers what is desired once, and follows the answers', () => {
    const agent = new Agent()
    expect(agent.wants('aa')).toBe('offer aa desired')
    expect(agent.decide()).toBe('offered')
    expect(agent.says('applying', 'aa')).toBe('applying')
    expect(agent.says('applied', 'aa')).toBe('applied')
    expect(agent.states()).toEqual(['aa applied desired'])
  })

  it('offers nothing to an agent that already has it, also after it reconnects', () => {
    const agent = Agent.running('aa')
    expect(agent.reconnects()).toBe('applied')
    const fresh = new Agent()
    fresh.desired = 'aa'
    expect(fresh.says('applied', 'aa')).toBe('applied')
    expect(fresh.notices).toEqual([{ kind: 'adopted', hash: 'aa' }])
    expect(lastGoodHash(fresh.ledger)).toBe('aa')
  })

  it('compares the hash that the agent reports with the desired one, and offers when they differ [RC-08] [RC-09]', () => {
    const reporting = (hash: string) => {
      const agent = new Agent()
      agent.ledger = createLedger({ attempts: [], reported: { hash, status: 'applied', errorMessage: '' } })
      return agent.wants('aa')
    }
    expect(reporting('aa')).toBe('applied')
    expect(reporting('bb')).toBe('offer aa desired')
    expect(reporting('')).toBe('offer aa desired')
  })

  it('gives the last good configuration back at once after FAILED, and never offers the failed one by itself', () => {
    const agent = Agent.running('aa')
    expect(agent.wants('bb')).toBe('offer bb desired')
    agent.says('applying', 'bb')
    expect(agent.says('failed', 'bb', 'exit code 1')).toBe('offer aa restore')
    expect(agent.decide()).toBe('failed')
    expect(agent.says('applying', 'aa')).toBe('failed')
    expect(agent.says('applied', 'aa')).toBe('restored')
    expect(agent.states()).toEqual(['bb rolledBack desired', 'aa applied restore'])
    expect(agent.reconnects()).toBe('restored')
    expect(heldBack(agent.ledger, 'bb')).toEqual({ failedHash: 'bb', errorMessage: 'exit code 1', runningHash: 'aa' })
    expect(agent.decision).toMatchObject({ reason: 'The agent failed the configuration: exit code 1. It runs its last good configuration again.' })
  })

  it('takes FAILED(B) then APPLIED(A) of an agent that went back by itself', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('failed', 'bb', 'x')
    // Our restore crosses with the agent's own: the same hash, so the same answer.
    expect(agent.says('applied', 'aa')).toBe('restored')
    const alone = Agent.running('aa')
    alone.wants('bb')
    alone.ledger = onStatus(alone.ledger, { hash: 'bb', status: 'failed', errorMessage: 'x', now: 10, desired: 'bb' }).ledger
    expect(alone.says('applied', 'aa')).toBe('restored')
    expect(alone.states()).toEqual(['aa applied desired', 'bb rolledBack desired'])
  })

  it('offers the next desired configuration to an agent that was restored', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('failed', 'bb')
    agent.says('applied', 'aa')
    expect(agent.wants('cc')).toBe('offer cc desired')
    expect(agent.says('applied', 'cc')).toBe('applied')
    expect(agent.wants('aa')).toBe('offer aa desired')
    expect(agent.says('applied', 'aa')).toBe('applied')
    expect(agent.wants('bb')).toBe('restored')
  })

  it('offers a failed configuration again after a decision, once', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('failed', 'bb', 'x')
    agent.says('applied', 'aa')
    agent.ledger = allowRetry(agent.ledger, 'bb')
    expect(agent.decide()).toBe('offer bb retry')
    expect(agent.ledger.retry).toBeNull()
    expect(agent.reconnects()).toBe('offer bb retry')
    expect(agent.says('failed', 'bb', 'x')).toBe('offer aa restore')
    expect(agent.says('applied', 'aa')).toBe('restored')
    agent.ledger = allowRetry(agent.ledger, 'bb')
    agent.decide()
    expect(agent.says('applied', 'bb')).toBe('applied')
    expect(lastGoodHash(agent.ledger)).toBe('bb')
  })

  it('does not take the old FAILED, sent again in a full report, for the answer to a retry', () => {
    const agent = new Agent()
    agent.wants('bb')
    expect(agent.says('failed', 'bb', 'x')).toBe('failed')
    agent.ledger = allowRetry(agent.ledger, 'bb')
    expect(agent.decide()).toBe('offer bb retry')
    expect(agent.says('failed', 'bb', 'x')).toBe('offered')
    expect(agent.says('applying', 'bb')).toBe('applying')
    expect(agent.says('failed', 'bb', 'x')).toBe('failed')
  })

  it('ignores the wish to retry what did not fail', () => {
    expect(allowRetry(Agent.running('aa').ledger, 'aa').retry).toBeNull()
    expect(allowRetry(emptyLedger, 'zz').retry).toBeNull()
  })

  it('stops when an agent fails even its last good configuration', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('failed', 'bb', 'x')
    expect(agent.says('failed', 'aa', 'disk full')).toBe('failed')
    expect(agent.reconnects()).toBe('failed')
    expect(agent.decision).toMatchObject({ reason: expect.stringContaining('nothing more is sent until somebody decides') })
    expect(agent.wants('cc')).toBe('offer cc desired')
  })

  it('gives the baseline to an agent that failed its very first configuration, and has nothing to give without', () => {
    const agent = new Agent()
    agent.input = { baseline: '00' }
    agent.wants('aa')
    expect(agent.says('failed', 'aa', 'x')).toBe('offer 00 restore')
    expect(agent.says('applied', '00')).toBe('restored')
    const bare = new Agent()
    bare.wants('aa')
    expect(bare.says('failed', 'aa', 'x')).toBe('failed')
    expect(bare.decision).toMatchObject({ reason: 'The agent failed the configuration: x. There is no earlier configuration to go back to.' })
  })

  it('goes back further when an applied configuration stops working later', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('applied', 'bb')
    expect(agent.says('failed', 'bb', 'crash')).toBe('offer aa restore')
    expect(agent.notices).toEqual([{ kind: 'relapsed', hash: 'bb' }])
    expect(agent.says('applied', 'bb')).toBe('applied')
    expect(agent.notices.at(-1)).toEqual({ kind: 'recovered', hash: 'bb' })
  })

  it('restores an agent that failed while nobody was connected to hear it', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.input = { connected: false }
    expect(agent.says('failed', 'bb', 'x')).toBe('failed')
    expect(agent.decision).toMatchObject({ kind: 'none', reason: expect.stringContaining('gets its last good configuration back when it connects') })
    agent.input = {}
    expect(agent.reconnects()).toBe('offer aa restore')
  })

  it('waits until the agent is connected and has said everything', () => {
    const agent = new Agent()
    agent.input = { connected: false }
    expect(agent.wants('aa')).toBe('pending')
    agent.input = { complete: false }
    expect(agent.decide()).toBe('pending')
    expect(agent.decision).toMatchObject({ reason: 'The configuration is offered as soon as it has reported its full state.' })
    agent.input = {}
    expect(agent.decide()).toBe('offer aa desired')
  })

  it('offers nothing to agents that do not accept remote configuration [RC-02]', () => {
    const agent = new Agent()
    agent.input = { accepts: false }
    expect(agent.wants('aa')).toBe('notAccepted')
  })

  it('offers once a connection to agents that do not report what becomes of it', () => {
    const agent = new Agent()
    agent.input = { reports: false }
    expect(agent.wants('aa')).toBe('offer aa desired')
    expect(agent.decide()).toBe('offered')
    expect(agent.says('unset', '')).toBe('offered')
    expect(agent.reconnects()).toBe('offer aa desired')
    expect(agent.decide()).toBe('offered')
    agent.input = { reports: false, effectiveMatches: true }
    expect(agent.reconnects()).toBe('applied')
    expect(agent.states()).toEqual(['aa offered desired'])
  })

  it('takes nothing away when no group gives anything any more', () => {
    const agent = Agent.running('aa')
    expect(agent.wants(null)).toBe('unmanaged')
    expect(agent.says('failed', 'aa', 'x')).toBe('unmanaged')
  })

  it('offers again what an agent has lost', () => {
    const agent = Agent.running('aa')
    agent.lastOffered = null
    expect(agent.says('unset', '')).toBe('offer aa desired')
    expect(agent.says('applied', 'aa')).toBe('applied')
  })

  it('does not fight over an agent that something else configures too', () => {
    const agent = Agent.running('aa')
    expect(agent.says('applied', 'ff')).toBe('offered')
    expect(agent.notices).toEqual([{ kind: 'unknown-hash', hash: 'ff', status: 'applied' }])
    expect(agent.decide()).toBe('offered')
    expect(agent.reconnects()).toBe('offer aa desired')
  })

  it('supersedes an offer without answer, and still learns from a late one', () => {
    const agent = new Agent()
    agent.wants('aa')
    expect(agent.wants('bb')).toBe('offer bb desired')
    expect(agent.states()).toEqual(['aa superseded desired', 'bb offered desired'])
    expect(agent.says('failed', 'aa', 'late')).toBe('offered')
    expect(agent.notices).toEqual([{ kind: 'late', hash: 'aa' }])
    expect(verdict(agent.ledger, 'aa')).toBe('failed')
    expect(agent.says('applied', 'bb')).toBe('applied')
    expect(agent.wants('aa')).toBe('restored')
  })

  it('times out what has no answer, says so, and takes a late answer', () => {
    const agent = new Agent()
    agent.wants('aa')
    const { updatedAt } = agent.ledger.attempts[0] ?? { updatedAt: -1 }
    expect(nextDeadline(agent.ledger, 100)).toBe(updatedAt + 100)
    expect(timeOutAttempt(agent.ledger, updatedAt + 99, 100).changed).toEqual([])
    const step = timeOutAttempt(agent.ledger, updatedAt + 100, 100)
    expect(step.changed).toMatchObject([{ seq: 1, state: 'timedOut' }])
    agent.ledger = step.ledger
    expect(nextDeadline(agent.ledger, 100)).toBeNull()
    expect(agent.decide()).toBe('timedOut')
    expect(agent.says('applied', 'aa')).toBe('applied')
    expect(agent.notices).toEqual([{ kind: 'late', hash: 'aa' }])
  })

  it('offers again after a timeout only on a new connection, as the same attempt', () => {
    const agent = new Agent()
    agent.wants('aa')
    agent.ledger = timeOutAttempt(agent.ledger, 1000, 1).ledger
    expect(agent.reconnects()).toBe('offer aa desired')
    expect(agent.states()).toEqual(['aa offered desired'])
  })
})

describe('onStatus', () => {
  it('reports a status without a hash and changes nothing', () => {
    const step = onStatus(Agent.running('aa').ledger, { hash: '', status: 'failed', errorMessage: 'x', now: 9, desired: 'aa' })
    expect(step).toMatchObject({ changed: [], notice: { kind: 'empty-hash', status: 'failed' } })
    expect(verdict(step.ledger, 'aa')).toBe('applied')
  })

  it('does not repeat itself when a report is repeated', () => {
    const agent = new Agent()
    agent.says('applied', 'ff')
    agent.says('applied', 'ff')
    expect(agent.notices).toHaveLength(1)
  })

  it('keeps the newest text of a failure', () => {
    const agent = new Agent()
    agent.wants('aa')
    agent.says('failed', 'aa', 'first')
    agent.says('failed', 'aa', 'second')
    expect(heldBack(agent.ledger, 'aa')).toMatchObject({ errorMessage: 'second' })
  })
})

describe('createLedger', () => {
  it('knows from what was stored what the running one knew', () => {
    const agent = Agent.running('aa')
    agent.wants('bb')
    agent.says('failed', 'bb', 'x')
    agent.says('applied', 'aa')
    const { attempts, retry, reported } = agent.ledger
    expect(createLedger({ attempts: attempts.toReversed(), retry, reported })).toEqual(agent.ledger)
  })
})

type Step =
  | { readonly kind: 'want'; readonly hash: string | null }
  | { readonly kind: 'say'; readonly status: 'unset' | 'applying' | 'applied' | 'failed'; readonly hash: string }
  | { readonly kind: 'reconnect' | 'retry' | 'timeout' | 'restart' }
const hashes = fc.constantFrom('aa', 'bb', 'cc')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('want' as const), hash: fc.option(hashes, { freq: 8 }) }),
  fc.record({
    kind: fc.constant('say' as const),
    status: fc.constantFrom('unset' as const, 'applying' as const, 'applied' as const, 'failed' as const),
    hash: fc.oneof(hashes, fc.constantFrom('', '00', 'ff')),
  }),
  fc.record({ kind: fc.constantFrom('reconnect' as const, 'retry' as const, 'timeout' as const, 'restart' as const) }),
)

describe('the ledger', () => {
  const run = (steps: readonly Step[], check: (agent: Agent) => void): void => {
    const agent = new Agent()
    agent.input = { baseline: '00' }
    for (const one of steps) {
      take(agent, one)
      check(agent)
    }
  }
  const take = (agent: Agent, one: Step): string => {
    switch (one.kind) {
      case 'want':
        return agent.wants(one.hash)
      case 'say':
        return agent.says(one.status, one.hash, one.status === 'failed' ? 'x' : '')
      case 'reconnect':
        return agent.reconnects()
      case 'retry':
        agent.ledger = allowRetry(agent.ledger, agent.desired ?? '')
        return agent.decide()
      case 'timeout':
        agent.ledger = timeOutAttempt(agent.ledger, agent.now + 10, 5).ledger
        return agent.decide()
      case 'restart':
        agent.ledger = createLedger(agent.ledger)
        return agent.reconnects()
      default:
        return one satisfies never
    }
  }

  it('does not go back to a baseline that the agent failed before', () => {
    const agent = new Agent()
    agent.input = { baseline: '00' }
    agent.says('failed', 'aa')
    expect(agent.wants('aa')).toBe('offer 00 restore')
    agent.says('failed', '00')
    expect(agent.says('failed', 'aa')).toBe('failed')
  })

  it('never lets a failed configuration be offered as desired, nor restores one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const failed = new Set<string>()
        const known = new Set<string>()
        const agent = new Agent()
        agent.input = { baseline: '00' }
        for (const one of steps) {
          // A model apart from the ledger: the agent failed it, and did not apply it since. Only what was offered or is desired counts.
          if (one.kind === 'say' && one.hash !== '' && (known.has(one.hash) || one.hash === agent.desired)) {
            const repeated = agent.ledger.reported?.hash === one.hash && agent.ledger.reported.status === one.status
            if (one.status === 'failed' && !repeated) failed.add(one.hash)
            if (one.status === 'applied' && !repeated) failed.delete(one.hash)
          }
          if (one.kind === 'say' && one.hash === agent.desired && one.status !== 'unset') known.add(one.hash)
          const outcome = take(agent, one)
          const [, hash = '', reason] = outcome.startsWith('offer ') ? outcome.split(' ') : []
          if (hash !== '') known.add(hash)
          expect(failed.has(hash) ? reason : 'retry').toBe('retry')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('never offers twice in a row on one connection without hearing or being told something', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        run(steps, (agent) => {
          expect(agent.decide()).not.toMatch(/^offer /)
        })
      }),
    )
  })

  it('has at most one attempt that waits, and numbers that grow', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        run(steps, ({ ledger }) => {
          expect(ledger.attempts.filter(({ state }) => state === 'offered').length).toBeLessThanOrEqual(1)
          const numbers = ledger.attempts.map(({ seq }) => seq)
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
          expect(new Set(numbers).size).toBe(numbers.length)
          expect(ledger.nextSeq).toBeGreaterThan(numbers.at(-1) ?? 0)
          expect(ledger.attempts.length).toBeLessThanOrEqual(2 * 5)
        })
      }),
    )
  })

  it('decides the same from what was stored', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        run(steps, (agent) => {
          const { decision } = agent
          agent.ledger = createLedger(agent.ledger)
          expect(agent.decision).toEqual(decision)
        })
      }),
    )
  })
})
