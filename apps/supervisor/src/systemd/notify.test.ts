/** What systemd is told, by a fake carrier and by the real `systemd-notify`. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '@drover/testing'
import { describe, expect, it } from 'vitest'
import { notifySystemd } from './notify.ts'
import type { SystemdNotifier } from './notify.ts'

const socket = { NOTIFY_SOCKET: '/run/nowhere' }
const unitFile = join(import.meta.dirname, '..', '..', 'systemd', 'drover-supervisor.service')
const has = (program: string) => spawnSync(program, ['--version']).error === undefined

function recorded(env: Record<string, string>) {
  const sent: string[][] = []
  const troubles: string[] = []
  const clock = new FakeClock()
  let refuse: Error | undefined
  const notifier = notifySystemd({
    env,
    clock,
    onTrouble: (message) => troubles.push(message),
    send: (messages) => {
      if (refuse !== undefined) return Promise.reject(refuse)
      sent.push([...messages])
      return Promise.resolve()
    },
  })
  const settled = async (use: (notifier: SystemdNotifier) => void) => {
    use(notifier)
    await new Promise(setImmediate)
  }
  return { sent, troubles, clock, notifier, settled, refuse: (error: Error) => (refuse = error) }
}

describe('notifySystemd', () => {
  it('does nothing outside of systemd', async () => {
    const { sent, settled } = recorded({ WATCHDOG_USEC: '1000' })
    await settled((notifier) => {
      notifier.ready()
      notifier.status('connected')
    })
    expect(sent).toEqual([])
  })

  it('sends what is said at once together, and of each kind the latest', async () => {
    const { sent, settled } = recorded(socket)
    await settled((notifier) => {
      notifier.ready()
      notifier.status('connecting')
      notifier.status('connected\nto ws://x')
    })
    await settled((notifier) => notifier.stopping())
    expect(sent).toEqual([['READY=1', 'STATUS=connected to ws://x'], ['STOPPING=1']])
  })

  it('feeds the watchdog at half its time, from ready on, until it is disposed of', async () => {
    const { sent, settled, clock, notifier } = recorded({ ...socket, WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })
    clock.advance(120_000)
    await settled(() => notifier.ready())
    await settled(() => clock.advance(29_999))
    expect(sent).toEqual([['READY=1']])
    await settled(() => clock.advance(1))
    await settled(() => clock.advance(30_000))
    expect(sent).toEqual([['READY=1'], ['WATCHDOG=1'], ['WATCHDOG=1']])
    await notifier[Symbol.asyncDispose]()
    await settled(() => clock.advance(60_000))
    expect(sent).toHaveLength(3)
  })

  it('leaves the watchdog of another process alone', async () => {
    const { sent, settled, clock } = recorded({ ...socket, WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })
    await settled((notifier) => notifier.ready())
    await settled(() => clock.advance(600_000))
    expect(sent).toEqual([['READY=1']])
  })

  it('says once that systemd cannot be told', async () => {
    const { troubles, settled, refuse } = recorded(socket)
    refuse(new Error('the program systemd-notify is not there'))
    await settled((notifier) => notifier.ready())
    await settled((notifier) => notifier.status('x'))
    expect(troubles).toEqual(['systemd cannot be told how the supervisor is: the program systemd-notify is not there'])
  })

  it('says that there is no systemd-notify', async () => {
    const troubles: string[] = []
    {
      await using notifier = notifySystemd({ env: { ...socket, PATH: '/nonexistent' }, clock: new FakeClock(), onTrouble: (message) => troubles.push(message) })
      notifier.ready()
    }
    expect(troubles).toEqual(['systemd cannot be told how the supervisor is: the program systemd-notify is not there'])
  })
})

describe('systemd-notify', () => {
  it.skipIf(!has('systemd-notify') || !has('perl'))('carries messages to the socket (needs systemd-notify and perl)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-notify-'))
    const path = join(folder, 'notify')
    const script = `use IO::Socket::UNIX; use Socket; $|=1;
      my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "no socket: $!"; print "listening\\n";
      for (1..200) { $s->recv(my $m, 4096); next if $m =~ /^BARRIER/; $m =~ s/\\n/|/g; print "$m\\n" }`
    const receiver = spawn('perl', ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let received = ''
    receiver.stdout.on('data', (chunk: Buffer) => (received += chunk.toString()))
    const until = async (text: string) => {
      while (!received.includes(text)) await once(receiver.stdout, 'data')
    }
    try {
      await until('listening\n')
      const env = { PATH: process.env['PATH'] ?? '', NOTIFY_SOCKET: path, WATCHDOG_USEC: '2000' }
      const clock = {
        setTimeout: (callback: () => void, delayMs: number) => setTimeout(callback, delayMs),
        clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
      } // as: of the line before
      await using notifier = notifySystemd({ env, clock, onTrouble: (message) => expect.fail(message) })
      notifier.ready()
      notifier.status('connected to ws://127.0.0.1')
      await until('READY=1')
      await until('STATUS=connected to ws://127.0.0.1')
      await until('WATCHDOG=1')
      notifier.stopping()
      await until('STOPPING=1')
    } finally {
      receiver.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it.skipIf(!has('systemd-analyze'))('finds nothing wrong with the unit file (needs systemd-analyze)', () => {
    const { stderr } = spawnSync('systemd-analyze', ['verify', unitFile], { encoding: 'utf8' })
    const complaints = stderr.split('\n').filter((line) => line !== '' && !/is not executable|is masked|Failed to (connect|prepare)/.test(line))
    expect(complaints).toEqual([])
  })

  it('runs the supervisor and its agent as a user of their own, without capabilities [SEC-02]', () => {
    const lines = readFileSync(unitFile, 'utf8').split('\n')
    expect(lines.find((line) => line.startsWith('User='))).toMatch(/^User=(?!root$|0$)\w+$/)
    expect(lines).toEqual(expect.arrayContaining(['NoNewPrivileges=true', 'CapabilityBoundingSet=', 'RestrictSUIDSGID=true', 'ProtectSystem=strict']))
    expect(lines.some((line) => line.startsWith('AmbientCapabilities='))).toBe(false)
  })
})
