/** The agents' own log lines of the last hour, in memory: so many of each agent, and so many bytes of all. Secrets never get in. */
import { redactText } from '@drover/agent-config'
import type { logLimits } from './limits.ts'
import type { LogRecord } from './otlp/point.ts'

export interface LogLine {
  /** When it came, by our clock, in milliseconds since 1970. */
  readonly atMs: number
  readonly severity: string
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
}

export type LogLimits = { readonly [Name in keyof typeof logLimits]: number }

interface Kept extends LogLine {
  readonly agentId: string
  readonly bytes: number
  isGone: boolean
}

interface Held {
  readonly lines: Kept[]
  /** Of `lines`, how many at its beginning are gone. */
  gone: number
  bytes: number
  dropped: number
}

/** What a line costs beside its text. */
const LINE_BYTES = 200

export class OwnLogs {
  readonly #limits: LogLimits
  readonly #redact: (text: string) => string
  readonly #agents = new Map<string, Held>()
  /** Of all agents, oldest first, from `#next` on. */
  #order: Kept[] = []
  #next = 0
  #bytes = 0

  /** `redact` is asked for every text after the limits on length. */
  constructor(limits: LogLimits, redact: (text: string) => string = redactText) {
    this.#limits = limits
    this.#redact = redact
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @returns how many of them were too many for one request */
  add(agentId: string, records: readonly LogRecord[], nowMs: number): number {
    if (records.length === 0) return 0
    const { maxLinesPerRequest } = this.#limits
    const excess = Math.max(0, records.length - maxLinesPerRequest)
    const held = this.#hold(agentId)
    held.dropped += excess
    for (const record of records.slice(excess)) this.#keep(agentId, held, this.#line(agentId, record, nowMs))
    this.expire(nowMs)
    return excess
  }

  /** Newest last. */
  of(agentId: string, limit: number, nowMs: number): { readonly lines: readonly LogLine[]; readonly dropped: number } {
    this.expire(nowMs)
    const held = this.#agents.get(agentId)
    return { lines: held === undefined ? [] : held.lines.slice(Math.max(held.gone, held.lines.length - limit)), dropped: held?.dropped ?? 0 }
  }

  expire(nowMs: number): void {
    const { keepMs, maxBytes } = this.#limits
    for (let oldest = this.#order[this.#next]; oldest !== undefined; oldest = this.#order[this.#next]) {
      const isTooMuch = this.#bytes > maxBytes
      if (!oldest.isGone && !isTooMuch && nowMs - oldest.atMs <= keepMs) break
      this.#next++
      if (!oldest.isGone) this.#forgetOldest(oldest.agentId, isTooMuch)
    }
    if (this.#next > 1_024 && this.#next * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#next)
      this.#next = 0
    }
  }

  #hold(agentId: string): Held {
    const known = this.#agents.get(agentId)
    if (known !== undefined) return known
    const made = { lines: [], gone: 0, bytes: 0, dropped: 0 }
    this.#agents.set(agentId, made)
    return made
  }

  #line(agentId: string, record: LogRecord, nowMs: number): Kept {
    const { maxBodyChars, maxAttributes, maxAttributeChars } = this.#limits
    const body = this.#redact(record.body.slice(0, maxBodyChars))
    const attributes = Object.fromEntries(
      record.attributes.slice(0, maxAttributes).map(([name, value]) => this.#attribute(name, value.slice(0, maxAttributeChars))),
    )
    const text = Object.entries(attributes).reduce((sum, [name, value]) => sum + name.length + value.length, body.length)
    return { agentId, atMs: nowMs, severity: severityOf(record), body, attributes, bytes: LINE_BYTES + 2 * text, isGone: false }
  }

  /** Redacted together with its name, which may tell that it is a secret. */
  #attribute(name: string, value: string): readonly [string, string] {
    const prefix = `${name}: `
    const redacted = this.#redact(`${prefix}${value}`)
    return [name, redacted.startsWith(prefix) ? redacted.slice(prefix.length) : this.#redact(value)]
  }

  #keep(agentId: string, held: Held, line: Kept): void {
    const { maxLinesPerAgent, maxBytesPerAgent } = this.#limits
    held.lines.push(line)
    held.bytes += line.bytes
    this.#bytes += line.bytes
    this.#order.push(line)
    while (held.lines.length - held.gone > maxLinesPerAgent || (held.bytes > maxBytesPerAgent && held.lines.length - held.gone > 1))
      this.#forgetOldest(agentId, true)
  }

  #forgetOldest(agentId: string, isDropped: boolean): void {
    const held = this.#agents.get(agentId)
    const line = held?.lines[held.gone]
    if (held === undefined || line === undefined) return
    line.isGone = true
    held.gone++
    held.bytes -= line.bytes
    this.#bytes -= line.bytes
    if (isDropped) held.dropped++
    if (held.gone === held.lines.length) this.#agents.delete(agentId)
    else if (held.gone * 2 > held.lines.length) {
      held.lines.splice(0, held.gone)
      held.gone = 0
    }
  }
}

const severities = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/** OTLP counts four numbers to each. */
function severityOf({ severityNumber, severityText }: LogRecord): string {
  const known = severities[Math.floor((severityNumber - 1) / 4)]
  return known ?? (/^[a-zA-Z]{1,16}$/.test(severityText) ? severityText.toLowerCase() : 'unknown')
}
