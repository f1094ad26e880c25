/** What there is to say about a supervisor's file: what is wrong, and what has another effect than its writer may expect. */

export interface ConfigFinding {
  /** `error`: it does not start; `warning`: probably not what was meant; `note`: good to know. */
  readonly severity: 'error' | 'warning' | 'note'
  /** The key, e.g. `agent.config_apply_timeout`; empty for the whole file. */
  readonly path: string
  /** Counted from 1; absent when it is about the whole file. */
  readonly line?: number
  readonly column?: number
  readonly message: string
}

/** `supervisor.yaml:3:5: error: agent.executable: …`, as editors and terminals know it. */
export function formatFinding(file: string, { severity, path, line, column, message }: ConfigFinding): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return `${place}: ${severity}: ${path === '' ? '' : `${path}: `}${message}`
}

/** The file cannot be used; all that is wrong with it, not only the first. */
export class SupervisorConfigError extends Error {
  override readonly name = 'SupervisorConfigError'
  readonly file: string
  readonly findings: readonly ConfigFinding[]

  constructor(file: string, findings: readonly ConfigFinding[]) {
    super(
      findings
        .filter(({ severity }) => severity === 'error')
        .map((finding) => formatFinding(file, finding))
        .join('\n'),
    )
    this.file = file
    this.findings = findings
  }
}
