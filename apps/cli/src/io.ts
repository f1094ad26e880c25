/** What a command sees of the world around it: streams, environment, signals. Tests pass their own. */

export interface OutputStream {
  readonly isTerminal: boolean
  /** Columns of the terminal; undefined when it is none, then nothing is shortened. */
  readonly columns: number | undefined
  write(text: string): void
}

export interface Io {
  /** Data, and nothing else. */
  readonly stdout: OutputStream
  /** Everything said to a person. */
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Whether somebody can answer a question. */
  readonly canAsk: boolean
  readStdin(): Promise<string>
  /** Asks on stderr, reads a line. */
  ask(question: string): Promise<string>
  readonly now: () => number
  /** Calls `handler` at each SIGINT, SIGTERM and SIGHUP until the returned function is called. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void
}
