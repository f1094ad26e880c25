import { describe, expect, it } from 'vitest'
import { judgeClaim } from './contention.ts'

const holder = { id: 1, transport: 'websocket', principal: 'token-1', remoteAddress: '10.0.0.1', connectedAt: 0 } as const

describe('two connections with one instance uid', () => {
  it('are one agent that reconnected when the sequence goes on under the same credential [CN-15]', () => {
    expect(judgeClaim({ holder, newcomer: holder, continues: true })).toBe('take-over')
  })

  it('are told apart by a ping otherwise [UID-13]', () => {
    expect(judgeClaim({ holder, newcomer: holder, continues: false })).toBe('probe')
    expect(judgeClaim({ holder, newcomer: { ...holder, principal: 'token-2' }, continues: true })).toBe('probe')
    expect(judgeClaim({ holder, newcomer: { ...holder, transport: 'http' }, continues: false })).toBe('probe')
  })

  it('are one connection when both are polls of one principal', () => {
    const polling = { ...holder, transport: 'http' } as const
    expect(judgeClaim({ holder: polling, newcomer: polling, continues: false })).toBe('same')
    expect(judgeClaim({ holder: polling, newcomer: { ...polling, principal: 'token-2' }, continues: false })).toBe('take-over')
    expect(judgeClaim({ holder: polling, newcomer: holder, continues: false })).toBe('take-over')
  })
})
