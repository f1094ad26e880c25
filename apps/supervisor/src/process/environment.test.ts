import { afterEach, expect, it, vi } from 'vitest'
import { childEnvironment, hasMark } from './environment.ts'

afterEach(() => vi.unstubAllEnvs())

it('inherits, adds and marks, and keeps what is between the supervisor and its service manager', () => {
  vi.stubEnv('NOTIFY_SOCKET', '/run/systemd/notify')
  vi.stubEnv('WATCHDOG_USEC', '1')
  vi.stubEnv('FROM_OUTSIDE', 'outside')
  vi.stubEnv('REPLACED', 'before')
  const env = childEnvironment({ REPLACED: 'after', ADDED: 'yes' }, '/var/lib/one')
  expect(env).toMatchObject({ FROM_OUTSIDE: 'outside', REPLACED: 'after', ADDED: 'yes' })
  expect(env).not.toHaveProperty('NOTIFY_SOCKET')
  expect(env).not.toHaveProperty('WATCHDOG_USEC')
})

it('finds the mark of one storage directory only', () => {
  const text = Object.entries(childEnvironment({}, '/var/lib/one'))
    .map(([name, value]) => `${name}=${value}\0`)
    .join('')
  expect(hasMark(text, '/var/lib/one')).toBe(true)
  expect(hasMark(text, '/var/lib/two')).toBe(false)
  expect(hasMark(`X${text.slice(text.indexOf('DROVER_SUPERVISOR'))}`, '/var/lib/one')).toBe(false)
})
