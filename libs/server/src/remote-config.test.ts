import { fromBinary } from '@bufbuild/protobuf'
import { ServerToAgentSchema } from '@drover/protocol'
import { describe, expect, it } from 'vitest'
import { prepareRemoteConfig } from './remote-config.ts'

const hash = Uint8Array.of(9, 8, 7)
const bytes = (text: string) => new TextEncoder().encode(text)

describe('a prepared remote configuration', () => {
  it('is field 3 of a message, with hash, names, types and raw bodies [RC-15] [RC-16] [RC-12]', () => {
    const binary = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
    const { encoded } = prepareRemoteConfig(
      [
        { name: '', contentType: '', body: bytes('a: 1') },
        { name: 'x', contentType: 'text/yaml', body: binary },
      ],
      hash,
    )
    const offered = fromBinary(ServerToAgentSchema, encoded).remoteConfig
    expect(offered?.configHash).toEqual(hash)
    expect(offered?.config?.configMap['x']).toMatchObject({ contentType: 'text/yaml', body: binary })
    expect(offered?.config?.configMap['']).toMatchObject({ contentType: '', body: bytes('a: 1') })
  })

  it('refuses two files of one name and an empty hash [RC-10] [RC-16]', () => {
    const file = { name: 'a', contentType: '', body: bytes('') }
    expect(() => prepareRemoteConfig([file, file], hash)).toThrow('same name')
    expect(() => prepareRemoteConfig([file], new Uint8Array())).toThrow('hash')
  })

  it('keeps names that mean something to JavaScript', () => {
    const { encoded } = prepareRemoteConfig([{ name: '__proto__', contentType: '', body: bytes('x') }], hash)
    expect(Buffer.from(encoded).includes('__proto__')).toBe(true)
  })
})
