/** A program that is no Collector under `drover supervisor`: syslog-ng, described by a few lines of the supervisor's file. */
import { once } from 'node:events'
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { RemoteConfigStatuses } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { Child, cliMain, createTemporaryFolder, freePort } from '../harness/index.ts'
import { skipSuite } from '../peers/index.ts'
import { attributesOf, effectiveText, OpampPeer } from './supervisor/opamp-peer.ts'
import { until } from './supervisor/subject.ts'

const uid = '01939b3c-7d2e-7c3a-9f00-0123456789ab'
const { RemoteConfigStatuses_APPLIED: applied, RemoteConfigStatuses_FAILED: failed } = RemoteConfigStatuses

/** syslog-ng with a folder of its own. */
interface Setup {
  readonly program: string
  readonly ctl: string
  readonly folder: string
}

const configFileOf = ({ folder }: Setup): string => join(folder, 'syslog-ng.conf')

/** Takes lines over TCP and writes them to a file. */
function config({ folder }: Setup, port: number, note: string): string {
  return `@version: 3.38
# ${note}
source s_lines { network(ip(127.0.0.1) port(${port}) transport(tcp) flags(no-parse)); };
destination d_file { file("${join(folder, 'lines.log')}" template("$MESSAGE\\n")); };
log { source(s_lines); destination(d_file); };
`
}

function startSupervisor(setup: Setup, file: string): Child {
  return new Child({
    title: 'drover supervisor',
    command: process.execPath,
    args: [cliMain, 'supervisor', '--config', file],
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: setup.folder },
  })
}

async function writeSupervisorFile({ program, ctl, folder }: Setup, endpoint: string): Promise<string> {
  const file = join(folder, 'supervisor.yaml')
  const [pid, persist, control] = ['syslog-ng.pid', 'syslog-ng.persist', 'syslog-ng.ctl'].map((name) => join(folder, name))
  const settings = {
    server: { endpoint },
    capabilities: { accepts_remote_config: true, reports_remote_config: true, accepts_restart_command: true },
    agent: {
      executable: program,
      instance_id: uid,
      config_apply_timeout: '6s',
      args: ['--foreground', '--cfgfile={config}', '--no-caps', `--pidfile=${pid}`, `--persist-file=${persist}`, `--control=${control}`],
    },
    storage: { directory: join(folder, 'storage') },
    drover: {
      agent: {
        kind: 'process',
        name: 'syslog-ng',
        version_command: [program, '--version'],
        config_file: join(folder, 'syslog-ng.conf'),
        validate_command: [program, '--syntax-only', '--cfgfile={config}'],
        reload: { command: [ctl, 'reload', `--control=${control}`] },
        health: { command: [ctl, 'stats', `--control=${control}`], interval: '1s' },
      },
    },
  }
  await writeFile(file, stringify(settings), { mode: 0o600 })
  return file
}

/** Sends a line until it is in the file: nothing says when syslog-ng listens after a reload. */
async function passes({ folder }: Setup, port: number, line: string): Promise<void> {
  await until(async () => {
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    if (connected) socket.end(`${line}\n`)
    else socket.destroy()
    return (await readFile(join(folder, 'lines.log'), 'utf8').catch(() => '')).includes(`${line}\n`)
  }, `the line "${line}" through port ${port}`)
}

/** Processes of syslog-ng that serve this folder. */
function processes({ program, folder }: Setup): readonly number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const [command = '', ...args] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      return command === program && args.includes('--foreground') && args.some((arg) => arg.includes(`${folder}/`)) ? [Number(name)] : []
    } catch {
      return [] // it ended meanwhile
    }
  })
}

/** Debian puts it where only root's PATH looks. */
function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function suite(program: string, ctl: string): void {
  describe('syslog-ng under drover supervisor', () => {
    it('is described, checked, reloaded and restarted, and the last good configuration always comes back', async () => {
      await using folder = await createTemporaryFolder()
      await using peer = await OpampPeer.start()
      const setup: Setup = { program, ctl, folder: folder.path }
      const [first, second, taken] = [await freePort(), await freePort(), await freePort()]
      const offer = (text: string): string => peer.offerConfig(uid, { 'syslog-ng.conf': text })
      const outcome = (hash: string) =>
        peer.until(uid, ({ configStatuses }) => configStatuses.find((one) => one.hash === hash && (one.status === applied || one.status === failed)), {
          what: 'the outcome',
        })
      await writeFile(configFileOf(setup), config(setup, first, 'from its own file'))
      const file = await writeSupervisorFile(setup, peer.url)
      await using supervisor = startSupervisor(setup, file)

      // What is there runs until something is offered.
      const isUp = (note: string) =>
        peer.until(uid, (one) => one.status.health?.healthy === true && effectiveText(one).includes(note) && one, { what: `healthy, ${note}` })
      const agent = await isUp('from its own file')
      expect(attributesOf(agent).get('service.name')).toBe('syslog-ng')
      expect(attributesOf(agent).get('service.version')).toMatch(/^\d+\.\d+/)
      await passes(setup, first, 'by its own file')
      const [pid] = processes(setup)

      expect(await outcome(offer(config(setup, second, 'as offered')))).toMatchObject({ status: applied })
      await isUp('as offered')
      await passes(setup, second, 'by the offered file')
      expect(processes(setup)).toEqual([pid])

      const refused = await outcome(offer(config(setup, second, 'refused').replace('network(', 'netwrk(')))
      expect(refused).toMatchObject({ status: failed, errorMessage: expect.stringMatching(/syslog-ng refuses the configuration.*syntax error/s) as string })
      await passes(setup, second, 'after a refused file')

      // It passes the check, and syslog-ng cannot listen there.
      await using blocker = createServer().listen(taken, '127.0.0.1')
      await once(blocker, 'listening')
      const blocked = await outcome(offer(config(setup, taken, 'blocked')))
      expect(blocked.status).toBe(failed)
      await isUp('as offered')
      await passes(setup, second, 'after a file that did not run')

      peer.offer(uid, { restart: true })
      const restarted = await until(() => processes(setup).length === 1 && processes(setup).find((one) => one !== pid), 'another process')
      await passes(setup, second, 'after a restart')

      // The supervisor is killed, and its successor finds what it left.
      process.kill(supervisor.pid, 'SIGKILL')
      await supervisor.ended
      const connects = peer.agent(uid).connects
      await using successor = startSupervisor(setup, file)
      await peer.until(uid, (one) => one.connects > connects && one.status.health?.healthy === true, { what: 'the successor' })
      await isUp('as offered')
      expect(processes(setup)).toHaveLength(1)
      expect(processes(setup)).not.toContain(restarted)
      await passes(setup, second, 'after a killed supervisor')
      await successor.end()
      expect(processes(setup)).toEqual([])
    })
  })
}

const [syslogNg, syslogNgCtl] = ['syslog-ng', 'syslog-ng-ctl'].map(findProgram)
const missing = 'syslog-ng is not installed (Debian: apt-get install syslog-ng-core)'
if (syslogNg !== undefined && syslogNgCtl !== undefined) suite(syslogNg, syslogNgCtl)
else if (process.env['DROVER_REQUIRE_PEERS'] === '1') throw new Error(missing)
else skipSuite('syslog-ng under drover supervisor', missing)
