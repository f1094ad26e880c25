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

interface Kept {
  readonly agentId: string
  readonly atMs: number
  readonly bytes: number
  /** Undefined: it is gone. Its place stays for a while, and must not keep its text. */
  line: LogLine | undefined
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
/** Places of lines that are gone are cleared away when there are more of them, and more than of others. */
const GONE_PLACES = 1_024

export class OwnLogs {
  readonly #limits: LogLimits
  readonly #redact: (text: string) => string
  readonly #agents = new Map<string, Held>()
  /** Of all agents, oldest first, from `#next` on. */
  #order: Kept[] = []
  #next = 0
  /** Lines in `#order`, from `#next` on, that are gone. */
  #gone = 0
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
    if (held === undefined) return { lines: [], dropped: 0 }
    const newest = held.lines.slice(Math.max(held.gone, held.lines.length - limit))
    return { lines: newest.flatMap(({ line }) => line ?? []), dropped: held.dropped }
  }

  expire(nowMs: number): void {
    const { keepMs, maxBytes } = this.#limits
    for (let oldest = this.#order[this.#next]; oldest !== undefined; oldest = this.#order[this.#next]) {
      const isTooMuch = this.#bytes > maxBytes
      if (oldest.line !== undefined && !isTooMuch && nowMs - oldest.atMs <= keepMs) break
      if (oldest.line !== undefined) this.#forgetOldest(oldest.agentId, isTooMuch)
      this.#next++
      this.#gone--
    }
    const places = this.#next + this.#gone
    if (places <= GONE_PLACES || places * 2 <= this.#order.length) return
    this.#order = this.#order.filter(({ line }) => line !== undefined)
    this.#next = 0
    this.#gone = 0
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
    const line = { atMs: nowMs, severity: severityOf(record), body, attributes }
    return { agentId, atMs: nowMs, bytes: LINE_BYTES + 2 * text, line }
  }

  /** Redacted together with its name, which may tell that it is a secret. */
  #attribute(name: string, value: string): readonly [string, string] {
    const prefix = `${name}: `
    const redacted = this.#redact(`${prefix}${value}`)
    return [name, redacted.startsWith(prefix) ? redacted.slice(prefix.length) : this.#redact(value)]
  }

  #keep(agentId: string, held: Held, kept: Kept): void {
    const { maxLinesPerAgent, maxBytesPerAgent } = this.#limits
    held.lines.push(kept)
    held.bytes += kept.bytes
    this.#bytes += kept.bytes
    this.#order.push(kept)
    while (held.lines.length - held.gone > maxLinesPerAgent || (held.bytes > maxBytesPerAgent && held.lines.length - held.gone > 1))
      this.#forgetOldest(agentId, true)
  }

  #forgetOldest(agentId: string, isDropped: boolean): void {
    const held = this.#agents.get(agentId)
    const oldest = held?.lines[held.gone]
    if (held === undefined || oldest === undefined) return
    oldest.line = undefined
    this.#gone++
    held.gone++
    held.bytes -= oldest.bytes
    this.#bytes -= oldest.bytes
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
