/** Between what every number, text and list of a plan lies. What the API takes is the same, which a test of the control plane sees to. */

export interface Range {
  readonly min?: number
  /** More than that. */
  readonly above?: number
  readonly max: number
  readonly whole?: true
}

/** 30 days. */
const maxTimeMs = 30 * 24 * 3_600_000

export const planRanges = {
  /** Of one list. */
  waves: { min: 1, max: 100 },
  gates: { min: 0, max: 32 },
  windows: { min: 0, max: 20 },
  days: { min: 1, max: 7 },
  weights: { min: 0, max: 100 },
  /** Characters. */
  ringName: { min: 1, max: 63 },
  selector: { min: 1, max: 4096 },
  url: { min: 1, max: 2048 },
  query: { min: 1, max: 8192 },
  timeZone: { min: 1, max: 64 },
  /** Numbers. */
  agents: { min: 1, max: 1_000_000, whole: true },
  badAgents: { min: 0, max: 1_000_000, whole: true },
  /** Percent that a wave takes. */
  share: { above: 0, max: 100 },
  /** Percent that may be bad. */
  badShare: { min: 0, max: 100 },
  /** Far below 1.1 a fleet would take thousands of waves. */
  factor: { min: 1.1, max: 100 },
  ratio: { above: 1, max: 1000 },
  weight: { min: 1, max: 1000, whole: true },
  retries: { min: 0, max: 10, whole: true },
  soakMs: { min: 0, max: maxTimeMs, whole: true },
  retryDelayMs: { min: 0, max: maxTimeMs, whole: true },
  deadlineMs: { min: 1, max: maxTimeMs, whole: true },
  timeMs: { min: 1000, max: maxTimeMs, whole: true },
  /** What lies behind the year 9999 cannot be written as a timestamp. */
  notBefore: { min: 0, max: 253_402_214_400_000, whole: true },
} as const satisfies Readonly<Record<string, Range>>
