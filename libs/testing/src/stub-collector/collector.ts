/** The stub as a process: signals, reload, the end. What one configuration does is in the service. */
import type { CommandLine } from './command-line.ts'
import { writeLine } from './log.ts'
import { Service } from './service.ts'

export class Collector {
  readonly #line: CommandLine
  #service: Service | undefined
  /** Starts, reloads and stops, one after another. */
  #work: Promise<void> = Promise.resolve()
  #isEnding = false

  constructor(line: CommandLine) {
    this.#line = line
  }

  /** Returns at once; the process lives until a signal, a fatal error or a configuration ends it. */
  run(): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#terminate())
    process.on('SIGHUP', () => this.#then(() => this.#reload()))
    this.#then(() => this.#start())
  }

  #then(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: Error) => this.#fail(error.message))
  }

  async #start(): Promise<void> {
    if (this.#isEnding) return
    this.#service = new Service(this.#line, { onFatal: (message, exitCode) => this.#die(message, exitCode) })
    await this.#service.start()
  }

  /** Everything stops, the configuration is read anew, everything starts; a configuration that fails ends the process. */
  async #reload(): Promise<void> {
    this.#service?.log('warn', 'Config updated, restart service')
    await this.#service?.stop()
    await this.#start()
  }

  #terminate(): void {
    if (this.#service?.ignoresSigterm === true) {
      this.#service.log('warn', 'Received signal from OS, and ignore it')
      return
    }
    if (this.#isEnding) return
    this.#isEnding = true
    this.#service?.log('info', 'Received signal from OS')
    this.#service?.abandonStart()
    this.#then(async () => {
      await this.#service?.stop()
      process.exit(0)
    })
  }

  #fail(message: string): void {
    writeLine(`Error: ${message}`)
    process.exit(1)
  }

  /** Orphaned (0), or told to crash. No goodbye is said. */
  #die(message: string, exitCode: number): void {
    this.#service?.log('error', message)
    process.exit(exitCode)
  }
}
