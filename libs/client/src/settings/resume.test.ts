import { describe, expect, it } from 'vitest'
import type { ConnectionSettings } from '../client.ts'
import type { ClientStore } from '../store.ts'
import { memoryStore } from '../stores/memory-store.ts'
import { type SettingsEffect, type SettingsEvent, type SettingsState, stepSettings } from './machine.ts'
import { decodeSettings, encodeSettings, settingsNames } from './record.ts'
import { dropCandidate, openSettings, storeAdopted, storeCandidate, storeStatus } from './resume.ts'
import { fingerprint } from './same-connection.ts'
import { candidate, newSettings, oldSettings, otherSettings } from './test-settings.ts'

class Killed extends Error {}

/** What a driver does with the store. `steps`: how many effects it carries out before it is killed. */
async function carryOut(store: ClientStore, effects: readonly SettingsEffect[], steps: { left: number }): Promise<readonly SettingsEvent[]> {
  const outcomes: SettingsEvent[] = []
  for (const effect of effects) {
    if (steps.left === 0) throw new Killed()
    steps.left -= 1
    if (effect.kind === 'store-candidate') await storeCandidate(store, effect.candidate, oldSettings)
    if (effect.kind === 'report') await storeStatus(store, effect.status)
    if (effect.kind === 'drop') {
      await dropCandidate(store)
      outcomes.push({ kind: 'dropped' })
    }
    if (effect.kind === 'adopt') {
      await storeAdopted(store, effect.candidate, oldSettings)
      outcomes.push({ kind: 'adopted' })
    }
  }
  return outcomes
}

async function run(store: ClientStore, state: SettingsState, events: readonly SettingsEvent[], steps = { left: Infinity }): Promise<SettingsState> {
  let last = state
  for (const event of events) {
    const step = stepSettings(last, event)
    last = await run(store, step.state, await carryOut(store, step.effects, steps), steps)
  }
  return last
}

/** The same store, in which one value is written no more: a kill between the two writes of an adoption. */
const withoutRemoval = (store: ClientStore): ClientStore => ({ ...store, remove: async () => undefined })

const offered = (hash: string, settings = newSettings, hasRest = false): SettingsEvent => ({
  kind: 'offered',
  offer: { hash, opamp: { candidate: settings }, hasRest, isRetry: false },
})
const proof: SettingsEvent = { kind: 'answered' }
const failure: SettingsEvent = { kind: 'failed', reason: 'the Server answered 401', isFinal: true }

async function opened(store: ClientStore, configured: ConnectionSettings = oldSettings) {
  return openSettings(store, configured)
}

describe('a client that starts', () => {
  it('uses the configured settings when none were ever adopted', async () => {
    expect(await opened(memoryStore())).toEqual({
      state: { candidate: { kind: 'idle', current: oldSettings }, status: { kind: 'none' } },
      effects: [],
      isReset: false,
      unreadable: [],
    })
  })

  it('uses adopted settings for all later connections, and knows their status [K-13] [TF-08]', async () => {
    const store = memoryStore()
    await run(store, (await opened(store)).state, [offered('aa'), proof])
    expect(await opened(store)).toMatchObject({
      state: { candidate: { kind: 'idle', current: newSettings }, status: { kind: 'applied', hash: 'aa' } },
      effects: [],
    })
  })

  it('has forgotten the former settings once others are adopted [KM-04] [KM-16] [KM-22] [K-13]', async () => {
    const store = memoryStore()
    const secret: ConnectionSettings = { ...newSettings, headers: [['Authorization', 'former']], tls: { cert: 'former', key: 'former' } }
    await run(store, (await opened(store)).state, [offered('aa', secret), proof, offered('bb', otherSettings), proof])
    for (const name of Object.values(settingsNames)) expect(new TextDecoder().decode(await store.read(name))).not.toContain('former')
  })

  it('remembers that an offer failed [K-16]', async () => {
    const store = memoryStore()
    await run(store, (await opened(store)).state, [offered('aa'), failure])
    const start = await opened(store)
    expect(start.state).toEqual({
      candidate: { kind: 'idle', current: oldSettings },
      status: { kind: 'failed', hash: 'aa', reason: 'the Server answered 401' },
    })
  })

  it('resumes the trial that was going on [K-09]', async () => {
    const store = memoryStore()
    await run(store, (await opened(store)).state, [offered('aa')])
    const start = await opened(store)
    expect(start).toMatchObject({
      state: { candidate: { kind: 'trying', current: oldSettings }, status: { kind: 'applying', hash: 'aa' } },
      effects: [{ kind: 'connect', settings: newSettings }],
    })
    await run(store, start.state, [proof])
    expect((await opened(store)).state).toEqual({ candidate: { kind: 'idle', current: newSettings }, status: { kind: 'applied', hash: 'aa' } })
  })

  it.each([
    ['proven', proof, newSettings, 'applied'],
    ['failing', failure, oldSettings, 'failed'],
  ] as const)('comes to the same end after a kill at any step of an offer that is %s [K-09]', async (_, outcome, settings, status) => {
    let kills = 0
    for (let left = 0; ; left += 1) {
      const store = memoryStore()
      try {
        await run(store, (await opened(store)).state, [offered('aa'), outcome], { left })
        break
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        kills += 1
      }
      const start = await opened(store)
      expect([oldSettings, newSettings]).toContainEqual(start.state.candidate.current)
      // The Server offers again what it has no status of.
      const again = start.state.status.kind === 'none' ? [offered('aa'), outcome] : [outcome]
      expect(await run(store, start.state, again), `killed before step ${left}`).toMatchObject({
        candidate: { kind: 'idle', current: settings },
        status: { kind: status, hash: 'aa' },
      })
      expect((await opened(store)).state.candidate).toEqual({ kind: 'idle', current: settings })
    }
    expect(kills).toBeGreaterThan(4)
  })

  it('takes settings for adopted when the process ended before the candidate was removed', async () => {
    const store = memoryStore()
    const { state } = await opened(store)
    await run(withoutRemoval(store), state, [offered('aa'), proof])
    await store.remove(settingsNames.status)
    expect(await opened(store)).toMatchObject({
      state: { candidate: { kind: 'idle', current: newSettings }, status: { kind: 'applied', hash: 'aa' } },
      effects: [],
    })
    expect(await store.read(settingsNames.candidate)).toBeUndefined()
  })

  it('has no status when nobody knows what became of the other settings, so that they are offered again', async () => {
    const store = memoryStore()
    await run(store, (await opened(store)).state, [offered('aa', newSettings, true)])
    const start = await opened(store)
    expect(start.state.status.kind).toBe('applying')
    expect((await run(store, start.state, [proof])).status).toEqual({ kind: 'none' })
    expect((await opened(store)).state.status).toEqual({ kind: 'none' })
  })
})

describe('settings that were configured by hand since', () => {
  it('win over adopted ones and over a candidate, which are forgotten', async () => {
    const store = memoryStore()
    await run(store, (await opened(store)).state, [offered('aa'), proof, offered('bb', otherSettings)])
    const changed = { ...oldSettings, headers: [['Authorization', 'Bearer other']] as const }
    expect(await opened(store, changed)).toMatchObject({
      state: { candidate: { kind: 'idle', current: changed }, status: { kind: 'none' } },
      effects: [],
      isReset: true,
    })
    expect(await opened(store, changed)).toMatchObject({ isReset: false })
    expect(await opened(store)).toMatchObject({ state: { candidate: { kind: 'idle', current: oldSettings } } })
  })
})

describe('what is stored', () => {
  it('comes back whole, whatever is set', () => {
    const everything: ConnectionSettings = {
      endpoint: 'wss://new.example/v1/opamp',
      headers: [
        ['A', '1'],
        ['A', '2'],
      ],
      tls: {
        ca: 'ca',
        includeSystemCa: true,
        cert: 'cert',
        key: 'key',
        insecureSkipVerify: false,
        serverName: 'name',
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.3',
        cipherSuites: ['x'],
      },
      proxy: { kind: 'url', url: 'http://proxy', connectHeaders: [['B', '3']] },
      heartbeatIntervalSeconds: 0,
    }
    const stored = { candidate: candidate('0aff', everything, true), configured: fingerprint(oldSettings) }
    expect(decodeSettings(encodeSettings(stored))).toEqual(stored)
  })

  const whole = JSON.parse(new TextDecoder().decode(encodeSettings({ candidate: candidate('aa'), configured: 'x' }))) as Record<string, unknown>
  it.each([
    ['of a newer version', { ...whole, version: 2 }],
    ['without settings', { ...whole, settings: undefined }],
    ['with a TLS field that is not known', { ...whole, settings: { ...newSettings, tls: { ca: 'x', pin: 'y' } } }],
    ['with a TLS field of another type', { ...whole, settings: { ...newSettings, tls: { insecureSkipVerify: 'no' } } }],
    ['with a TLS version that is none', { ...whole, settings: { ...newSettings, tls: { minVersion: 'SSLv3' } } }],
    ['with an endpoint that is none', { ...whole, settings: { ...newSettings, endpoint: 'nowhere' } }],
    ['with headers that are none', { ...whole, settings: { ...newSettings, headers: [['only a name']] } }],
    ['with a proxy that is none', { ...whole, settings: { ...newSettings, proxy: { kind: 'else' } } }],
    ['that is no object', []],
  ])('is as good as nothing when it is a record %s, and the client says so', async (_, record) => {
    const store = memoryStore()
    await store.write(settingsNames.valid, new TextEncoder().encode(JSON.stringify(record)))
    expect(await opened(store)).toMatchObject({ state: { candidate: { current: oldSettings } }, unreadable: [settingsNames.valid] })
  })

  it('is as good as nothing when it is damaged', async () => {
    const store = memoryStore()
    for (const name of Object.values(settingsNames)) await store.write(name, new TextEncoder().encode('{"version":1,'))
    expect(await opened(store)).toMatchObject({ state: { candidate: { kind: 'idle', current: oldSettings } }, unreadable: Object.values(settingsNames) })
  })
})
