/** Tells systemd how the supervisor is. Node has no datagram sockets of the local kind, so the program `systemd-notify` carries the messages. */
import { execFile } from 'node:child_process'

export interface SystemdClock {
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(handle: unknown): void
}

export interface SystemdOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: SystemdClock
  /** systemd could not be told: said once. */
  readonly onTrouble: (message: string) => void
  /** Carries messages such as `READY=1`; rejects when it cannot. */
  readonly send?: (messages: readonly string[]) => Promise<void>
}

export interface SystemdNotifier extends AsyncDisposable {
  /** Everything that the supervisor needs runs. The watchdog is fed from now on. */
  ready(): void
  /** A line for `systemctl status`. */
  status(text: string): void
  /** The supervisor is about to end; the watchdog is fed while it does. */
  stopping(): void
}

const sendTimeoutMs = 5_000
const maxStatusLength = 500

const nobody: SystemdNotifier = { ready: () => undefined, status: () => undefined, stopping: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve() }

/** Without NOTIFY_SOCKET, which systemd sets for units of `Type=notify`, nothing is done at all. */
export function notifySystemd(options: SystemdOptions): SystemdNotifier {
  if ((options.env['NOTIFY_SOCKET'] ?? '') === '') return nobody
  return new Notifier(options)
}

class Notifier implements SystemdNotifier {
  readonly #clock: SystemdClock
  readonly #onTrouble: (message: string) => void
  readonly #send: (messages: readonly string[]) => Promise<void>
  readonly #watchdogIntervalMs: number | undefined
  /** What waits to be sent, the latest of each kind. */
  #waiting = new Map<string, string>()
  #sending: Promise<void> | undefined
  #watchdog: unknown
  #hasComplained = false

  constructor({ env, clock, onTrouble, send = (messages) => sendBySystemdNotify(messages, env) }: SystemdOptions) {
    this.#clock = clock
    this.#onTrouble = onTrouble
    this.#send = send
    this.#watchdogIntervalMs = watchdogIntervalMs(env)
  }

  ready(): void {
    this.#tell('READY', '1')
    if (this.#watchdog === undefined) this.#feedWatchdog()
  }

  status(text: string): void {
    // One message is one line.
    this.#tell('STATUS', text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, maxStatusLength))
  }

  stopping(): void {
    this.#tell('STOPPING', '1')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clock.clearTimeout(this.#watchdog)
    await this.#sending
  }

  /** The event loop is what a supervisor can hang in, and a timer does not come when it does. */
  #feedWatchdog(): void {
    if (this.#watchdogIntervalMs === undefined) return
    this.#watchdog = this.#clock.setTimeout(() => {
      this.#tell('WATCHDOG', '1')
      this.#feedWatchdog()
    }, this.#watchdogIntervalMs)
  }

  #tell(name: string, value: string): void {
    this.#waiting.set(name, value)
    this.#sending ??= this.#sendWaiting().finally(() => {
      this.#sending = undefined
    })
  }

  async #sendWaiting(): Promise<void> {
    while (this.#waiting.size > 0) {
      // What is said in one go travels together.
      await Promise.resolve()
      const messages = [...this.#waiting].map(([name, value]) => `${name}=${value}`)
      this.#waiting = new Map()
      try {
        await this.#send(messages)
      } catch (error) {
        if (!this.#hasComplained) this.#onTrouble(`systemd cannot be told how the supervisor is: ${error instanceof Error ? error.message : String(error)}`)
        this.#hasComplained = true
      }
    }
  }
}

/** Half of the time after which systemd takes the process for hung; `undefined`: it does not watch this one. */
function watchdogIntervalMs(env: SystemdOptions['env']): number | undefined {
  const limitUs = Number(env['WATCHDOG_USEC'] ?? '')
  const pid = env['WATCHDOG_PID'] ?? ''
  if (!Number.isFinite(limitUs) || limitUs <= 0 || (pid !== '' && pid !== String(process.pid))) return undefined
  return Math.max(Math.floor(limitUs / 2_000), 1)
}

/** The unit must have `NotifyAccess=all`, for it is another process that speaks. It waits until systemd has taken the message. */
function sendBySystemdNotify(messages: readonly string[], env: SystemdOptions['env']): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const options = { env: { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] }, timeout: sendTimeoutMs, killSignal: 'SIGKILL' as const, maxBuffer: 4_096 }
  execFile('systemd-notify', [...messages], options, (error, _stdout, stderr) => {
    if (error === null) resolve()
    else if (error.code === 'ENOENT') reject(new Error('the program systemd-notify is not there', { cause: error }))
    else if (error.killed) reject(new Error(`systemd-notify did not end within ${sendTimeoutMs / 1_000} s`, { cause: error }))
    else reject(new Error(stderr.trim().split('\n', 1)[0] || error.message, { cause: error }))
  })
  return promise
}
