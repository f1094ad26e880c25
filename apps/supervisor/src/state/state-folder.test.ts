import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { folderStore, memoryStore } from '@drover/client'
import { AgentConfigFileSchema, AgentConfigMapSchema, AgentRemoteConfigSchema, parseInstanceUid, RemoteConfigStatuses } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { decodeOfferedConfig, decodeWayBack, encodeWayBack, offeredConfig, sameConfig } from './offered-config.ts'
import { formatPersistentState, parsePersistentState } from './persistent-state.ts'
import { openStateFolder, stateFileNames } from './state-folder.ts'

const uid = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-0123456789ab')
const other = parseInstanceUid('01939b3c-7d2e-7c3a-9f00-ffffffffffff')

/** As the stock supervisor 0.149 writes it. */
const stockState = `instance_id: 01939b3c-7d2e-7c3a-9f00-0123456789ab
last_remote_config_status:
    status: 3
    last_remote_config_hash: 12e4
    error_message: |-
        Agent exited unexpectedly: 'x'
        "y"
`

function offer(name: string) {
  const body = new TextEncoder().encode(name)
  const configMap = { [name]: create(AgentConfigFileSchema, { body, contentType: 'text/yaml' }), '': create(AgentConfigFileSchema, { body }) }
  return create(AgentRemoteConfigSchema, { config: create(AgentConfigMapSchema, { configMap }), configHash: body })
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'state-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const open = (files: ReturnType<typeof memoryStore>, log: (message: string) => void = () => undefined) =>
  openStateFolder({ files, log: (_level, message) => log(message), newInstanceUid: () => other })

describe('persistent_state.yaml', () => {
  it("is read as the stock supervisor writes it, with a hash that looks like a number, and keeps the agent's uid [UID-04]", () => {
    expect(parsePersistentState(stockState)).toEqual({
      instanceUid: uid,
      status: { status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, hash: '12e4', errorMessage: 'Agent exited unexpectedly: \'x\'\n"y"' },
    })
  })

  it('is read without a status, as on a first start of the stock supervisor', () => {
    expect(parsePersistentState(`instance_id: ${uid}\nlast_remote_config_status: null\n`)).toEqual({ instanceUid: uid, status: undefined })
  })

  it('comes back as it was written, whatever the error message has in it', () => {
    const state = {
      instanceUid: uid,
      status: { status: RemoteConfigStatuses.RemoteConfigStatuses_FAILED, hash: '00', errorMessage: ' : #\n\t- "\'|> \u0000é\n\n' },
    }
    expect(parsePersistentState(formatPersistentState(state))).toEqual(state)
    expect(parsePersistentState(formatPersistentState({ instanceUid: uid, status: undefined }))).toEqual({ instanceUid: uid, status: undefined })
  })

  it('cannot be understood without a uid', () => {
    expect(() => parsePersistentState('{}')).toThrow('it has no instance_id')
    expect(() => parsePersistentState('instance_id: nobody')).toThrow('not a UUID')
    expect(() => parsePersistentState('a: [')).toThrow('not YAML')
  })
})

describe('the state folder', () => {
  it('begins with a new uid, which stays', async () => {
    const files = memoryStore()
    expect((await open(files)).found).toMatchObject({ instanceUid: other, status: undefined, received: undefined, working: undefined, previous: [] })
    const again = await openStateFolder({ files, log: () => undefined, newInstanceUid: () => uid })
    expect(again.found.instanceUid).toBe(other)
  })

  it('sets a file aside that it does not understand, says so, and goes on', async () => {
    const files = memoryStore()
    await files.write(stateFileNames.persistentState, new TextEncoder().encode('not: [yaml'))
    await files.write(stateFileNames.received, new Uint8Array([255, 255, 255]))
    const lines: string[] = []
    const { found } = await open(files, (line) => lines.push(line))
    expect(found).toMatchObject({ instanceUid: other, received: undefined })
    expect(lines).toEqual(Array.from({ length: 2 }, () => 'A state file cannot be understood and is set aside'))
    expect(await files.read(`${stateFileNames.received}.broken`)).toEqual(new Uint8Array([255, 255, 255]))
  })

  it('keeps every file for its owner alone', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'storage')
    const state = await open(folderStore(path))
    await state.writeReceived(offeredConfig(offer('a')))
    await state.writeStatus({ status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED, hash: 'ab', errorMessage: '' })
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    for (const name of [stateFileNames.received, stateFileNames.persistentState]) expect((await stat(join(path, name))).mode & 0o777).toBe(0o600)
    expect(new Uint8Array(await readFile(join(path, stateFileNames.received)))).toEqual(toBinary(AgentRemoteConfigSchema, offer('a')))
  })

  it('does not lose a uid that is written at the same time as a status', async () => {
    const files = memoryStore()
    const state = await open(files)
    await Promise.all([
      state.writeInstanceUid(uid),
      state.writeStatus({ status: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED, hash: 'ab', errorMessage: '' }),
    ])
    expect((await open(files)).found).toMatchObject({ instanceUid: uid, status: { hash: 'ab' } })
  })

  it('reads what a stock supervisor left', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, stateFileNames.persistentState), stockState)
    await writeFile(join(folder.path, stateFileNames.received), toBinary(AgentRemoteConfigSchema, offer('a')))
    const { found } = await open(folderStore(folder.path))
    expect(found.instanceUid).toBe(uid)
    expect(found.received?.files.map(({ name }) => name).toSorted()).toEqual(['', 'a'])
  })
})

describe('an offered configuration', () => {
  it('is the same in another order of its files, and another with other text under the same hash', () => {
    const a = offeredConfig(offer('a'))
    expect(sameConfig(a, decodeOfferedConfig(a.encoded))).toBe(true)
    expect(sameConfig(a, { ...a, encoded: new Uint8Array(), files: a.files.toReversed() })).toBe(true)
    expect(sameConfig(a, { ...a, encoded: new Uint8Array(), files: [] })).toBe(false)
    expect(sameConfig(a, undefined)).toBe(false)
  })

  it('names files that are no UTF-8 text, and is not taken for another one with such a file', () => {
    const withBody = (body: Uint8Array) => {
      const configMap = { a: create(AgentConfigFileSchema, { body }), b: create(AgentConfigFileSchema) }
      return offeredConfig(create(AgentRemoteConfigSchema, { config: create(AgentConfigMapSchema, { configMap }), configHash: Uint8Array.of(1) }))
    }
    const one = withBody(Uint8Array.of(0x61, 0xff))
    expect(one.garbled).toEqual(['a'])
    expect(sameConfig(one, withBody(Uint8Array.of(0x61, 0xfe)))).toBe(false)
    expect(sameConfig(one, decodeOfferedConfig(one.encoded))).toBe(true)
  })

  it('is kept with those before it, and with none among them', () => {
    const way = [{ config: offeredConfig(offer('a')) }, { config: undefined }, { config: offeredConfig(offer('b')) }]
    expect(decodeWayBack(encodeWayBack(way)).map(({ config }) => config?.hash)).toEqual(way.map(({ config }) => config?.hash))
    expect(decodeWayBack(encodeWayBack([]))).toEqual([])
  })
})
