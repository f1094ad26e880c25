/** Certificates and keys of own-telemetry destinations, as files: the Collector takes paths only. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportDestination, ExportDestinations } from '@drover/agent-config'
import type { OwnTelemetry, TelemetryDestination } from '../../own-telemetry/settings.ts'
import { writeWholeFile } from '../config-on-disk.ts'

/** Composed configurations that may still be run. */
const maxRemembered = 64

export class TelemetryFiles {
  readonly #folder: string
  /** Texts by path. The name of a file is the hash of what is in it, so that equal settings give equal paths. */
  readonly #texts = new Map<string, string>()

  constructor(storageDirectory: string) {
    this.#folder = join(storageDirectory, 'own-telemetry')
  }

  /** The destinations with paths; the files themselves are written by `write`. */
  destinations(telemetry: OwnTelemetry): ExportDestinations {
    const { metrics, logs, traces } = telemetry
    return {
      ...(metrics === undefined ? {} : { metrics: this.#destination(metrics) }),
      ...(logs === undefined ? {} : { logs: this.#destination(logs) }),
      ...(traces === undefined ? {} : { traces: this.#destination(traces) }),
    }
  }

  /** Writes what the configuration's text names and is not there. */
  async write(configText: string): Promise<void> {
    const wanted = [...this.#texts].filter(([path]) => configText.includes(path))
    if (wanted.length === 0) return
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await chmod(this.#folder, 0o700)
    for (const [path, text] of wanted) if (!(await exists(path))) await writeWholeFile(path, text)
  }

  /** Removes what the configuration that runs does not name. */
  async tidy(configText: string): Promise<void> {
    const names = await readdir(this.#folder).catch(() => [])
    for (const name of names) if (!configText.includes(join(this.#folder, name))) await rm(join(this.#folder, name), { force: true })
  }

  #destination({ endpoint, headers, tls }: TelemetryDestination): ExportDestination {
    const files = { caFile: this.#path(tls?.ca), certFile: this.#path(tls?.cert), keyFile: this.#path(tls?.key) }
    const given = Object.fromEntries(Object.entries(files).filter(([, path]) => path !== undefined))
    return { endpoint, headers, ...(Object.keys(given).length === 0 ? {} : { tls: given }) }
  }

  #path(text: string | undefined): string | undefined {
    if (text === undefined || text === '') return undefined
    const path = join(this.#folder, `${createHash('sha256').update(text).digest('hex').slice(0, 32)}.pem`)
    this.#texts.delete(path)
    this.#texts.set(path, text)
    for (const oldest of this.#texts.keys()) if (this.#texts.size > maxRemembered) this.#texts.delete(oldest)
    return path
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
