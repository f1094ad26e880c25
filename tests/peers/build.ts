/** Builds the real peers (stock supervisor, Collector, opamp-go's client and server) from pinned Go modules, each once, into an ignored cache folder. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBuildLock } from './build-lock.ts'

export type PeerName = 'supervisor' | 'collector' | 'catalogue-collector' | 'opamp-client' | 'opamp-server' | 'opamp-descriptors'

/** The peer cannot be had on this machine: no Go, or no way to the modules. The message says which and what to do. */
export class PeerUnavailableError extends Error {
  override readonly name = 'PeerUnavailableError'
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const cacheFolder = join(root, '.cache', 'peers')
const modules = join(root, 'tests', 'interop', 'peers')
/** Generous, for a machine with other work: the largest compiles 1,800 packages. */
const buildTimeLimitMs = 40 * 60_000
/** Static and stripped: a third of the size, and it runs on any Linux. */
const goBuild = ['build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags=-s -w']

interface Recipe {
  readonly title: string
  /** Folders whose files decide what comes out; their hash is the cache key. */
  readonly sources: readonly string[]
  /** Leaves the executable at `target`; `folder` is its own to use. */
  readonly build: (folder: string, target: string) => Promise<void>
}

const recipes: Record<PeerName, Recipe> = {
  supervisor: {
    title: 'the stock supervisor (opampsupervisor v0.149.0)',
    sources: [join(modules, 'supervisor')],
    build: (_, target) =>
      go([...goBuild, '-o', target, 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/opampsupervisor'], join(modules, 'supervisor')),
  },
  collector: collector('collector', 'an OpenTelemetry Collector (v0.149.0)'),
  // Kubernetes and Prometheus bring most of a thousand packages, which no other test needs.
  'catalogue-collector': collector('catalogue-collector', 'a Collector with all that the templates name (v0.149.0)'),
  'opamp-client': {
    title: "the driver of opamp-go's client (v0.23.0)",
    sources: [join(root, 'tests', 'conformance', 'go-client')],
    build: (_, target) => go([...goBuild, '-o', target, '.'], join(root, 'tests', 'conformance', 'go-client')),
  },
  'opamp-server': {
    title: "the driver of opamp-go's server (v0.23.0)",
    sources: [join(root, 'tests', 'conformance', 'go-server')],
    build: (_, target) => go([...goBuild, '-o', target, '.'], join(root, 'tests', 'conformance', 'go-server')),
  },
  'opamp-descriptors': {
    title: "the view on opamp-go's schema (v0.23.0)",
    sources: [join(root, 'tests', 'conformance', 'descriptors', 'go-program')],
    build: (_, target) => go([...goBuild, '-o', target, '.'], join(root, 'tests', 'conformance', 'descriptors', 'go-program')),
  },
}

function collector(name: 'collector' | 'catalogue-collector', title: string): Recipe {
  return { title, sources: [join(modules, 'builder'), join(modules, name)], build: (folder, target) => buildCollector(name, folder, target) }
}

/** Sources come from the builder; its go.mod is replaced by ours, so that every module is the pinned one. */
async function buildCollector(name: string, folder: string, target: string): Promise<void> {
  const builder = join(folder, 'builder')
  await go([...goBuild, '-o', builder, 'go.opentelemetry.io/collector/cmd/builder'], join(modules, 'builder'))
  const manifest = join(modules, name, 'manifest.yaml')
  await run(builder, ['--config', manifest, '--skip-compilation', '--skip-get-modules'], folder)
  const sources = join(folder, '_build')
  for (const file of ['go.mod', 'go.sum']) await copyFile(join(modules, name, file), join(sources, file))
  await go([...goBuild, '-o', target, '.'], sources)
}

/** Path of the peer's executable; builds it when the cache has none. One build at a time on a machine, whoever asks. */
export async function buildPeer(name: PeerName): Promise<string> {
  const recipe = recipes[name]
  const folder = join(cacheFolder, await hashOf(recipe.sources))
  const executable = join(folder, name)
  if (await exists(executable)) return executable
  await mkdir(cacheFolder, { recursive: true })
  return withBuildLock(join(cacheFolder, 'lock.sqlite'), async () => {
    if (await exists(executable)) return executable // another process was faster
    const startedAt = performance.now()
    process.stderr.write(`Building ${recipe.title} for the tests, once; this takes a few minutes …\n`)
    const workFolder = await mkdtemp(join(cacheFolder, 'building-'))
    try {
      const done = join(workFolder, 'done')
      await mkdir(done)
      await recipe.build(workFolder, join(done, name))
      await rm(folder, { recursive: true, force: true })
      await rename(done, folder)
    } finally {
      await rm(workFolder, { recursive: true, force: true })
    }
    process.stderr.write(`Built ${recipe.title} in ${Math.round((performance.now() - startedAt) / 1000)} s\n`)
    return executable
  })
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function hashOf(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${goBuild.join(' ')}\n`)
  for (const folder of folders) {
    for (const name of (await readdir(folder)).toSorted()) {
      const body = await readFile(join(folder, name))
      hash.update(`${name} ${body.length}\n`).update(body)
    }
  }
  return hash.digest('hex').slice(0, 20)
}

const go = (args: readonly string[], folder: string) => run('go', args, folder)

const noWay =
  /no such host|could not resolve|dial tcp|i\/o timeout|connection refused|TLS handshake timeout|proxyconnect|network is unreachable|module lookup disabled/i

async function run(command: string, args: readonly string[], folder: string): Promise<void> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: buildTimeLimitMs,
  })
  if (child.pid !== undefined) setPriority(child.pid, 10)
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-8000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'ENOENT'
          ? new PeerUnavailableError(`${command} is not installed; install Go 1.25 or newer to test against the real peers`, { cause })
          : cause,
      ),
    )
    child.once('close', resolve)
  })
  if (code === 0) return
  if (noWay.test(output))
    throw new PeerUnavailableError(`the Go modules of the peers cannot be fetched; connect this machine to a Go module proxy (GOPROXY)\n${output.slice(-500)}`)
  throw new Error(`${command} ${args.join(' ')} ended with ${code ?? 'a signal (time limit?)'}\n${output}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(recipes) as PeerName[]) process.stdout.write(`${await buildPeer(name)}\n`)
}
