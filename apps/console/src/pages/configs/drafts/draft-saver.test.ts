/** Saving drafts while somebody writes, against a server under the test's control. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DraftContent, DraftSaver, RETRY_AFTER_MS, SAVE_AFTER_MS, type StoredDraft } from './draft-saver.ts'

const content = (body: string): DraftContent => ({ description: '', message: '', files: [{ name: 'a.yaml', contentType: 'text/yaml', body }] })
const at = '2026-01-01T00:00:00.000Z'
const refusal = new Error('conflict')

/** A server that keeps one draft and refuses to replace another than was edited. */
class FakeServer {
  stored: { body: string; etag: string } | undefined
  saves: string[] = []
  unreachable = false
  /** Set: answers wait for `release`. */
  held: (() => void)[] | undefined

  readonly save = async (draft: DraftContent, edited: string | undefined) => {
    const body = draft.files[0]?.body ?? ''
    this.saves.push(body)
    if (this.held !== undefined) await new Promise<void>((resolve) => this.held?.push(resolve))
    if (this.unreachable) throw new Error('unreachable')
    if (this.stored?.etag !== edited) throw refusal
    this.stored = { body, etag: `"${this.saves.length}"` }
    return { etag: this.stored.etag, at }
  }

  release() {
    for (const answer of this.held ?? []) answer()
    this.held = undefined
  }
}

let server: FakeServer
const start = (stored?: StoredDraft) => new DraftSaver({ begun: content('begun'), stored, save: server.save, isConflict: (error) => error === refusal })
const pause = () => vi.advanceTimersByTimeAsync(SAVE_AFTER_MS)

beforeEach(() => {
  server = new FakeServer()
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a draft', () => {
  it('is saved once a moment after the last change, not at each', async () => {
    const saver = start()
    for (const body of ['b', 'be', 'bet']) saver.change(content(body))
    expect(saver.state.kind).toBe('unsaved')
    await pause()
    expect(server.saves).toEqual(['bet'])
    expect(saver.state).toEqual({ kind: 'saved', at })
  })

  it('is not made for what was only looked at, or changed back', async () => {
    const saver = start()
    saver.change(content('begun'))
    saver.change(content('x'))
    saver.change(content('begun'))
    await pause()
    expect(server.saves).toEqual([])
    expect(saver.state).toEqual({ kind: 'unchanged' })
  })

  it('is saved one after the other: what is written during a save follows it, with the ETag of that one', async () => {
    server.held = []
    const saver = start()
    saver.change(content('one'))
    await pause()
    saver.change(content('two'))
    await pause()
    expect(server.saves).toEqual(['one'])
    server.release()
    await vi.advanceTimersByTimeAsync(0)
    expect(saver.state.kind).toBe('unsaved')
    await pause()
    expect(server.stored?.body).toBe('two')
  })

  it('is saved again also when it was changed back to what it was begun from', async () => {
    const saver = start()
    saver.change(content('one'))
    await pause()
    saver.change(content('begun'))
    await pause()
    expect(server.stored?.body).toBe('begun')
  })

  it('that somebody else edited is left alone until it is decided what counts', async () => {
    server.stored = { body: 'theirs', etag: '"theirs"' }
    const saver = start({ content: content('mine'), etag: '"mine"', at })
    saver.change(content('mine!'))
    await pause()
    expect(saver.state).toEqual({ kind: 'conflict' })
    saver.change(content('mine!!'))
    await pause()
    await expect(saver.flush()).rejects.toThrow(/Somebody else edited/)
    expect(server.saves).toHaveLength(1)
    saver.adopt({ content: content('theirs'), etag: '"theirs"', at })
    await pause()
    expect(server.stored.body).toBe('mine!!')
  })

  it('that was thrown away by somebody else is made anew', async () => {
    const saver = start({ content: content('mine'), etag: '"gone"', at })
    saver.change(content('mine!'))
    await pause()
    saver.adopt(undefined)
    await pause()
    expect(server.stored?.body).toBe('mine!')
  })

  it('is tried again after a failure, and says so meanwhile', async () => {
    server.unreachable = true
    const saver = start()
    saver.change(content('one'))
    await pause()
    expect(saver.state.kind).toBe('failed')
    server.unreachable = false
    await vi.advanceTimersByTimeAsync(RETRY_AFTER_MS)
    expect(server.stored?.body).toBe('one')
    expect(saver.state.kind).toBe('saved')
  })

  it('is saved at once before it is published, and made when there is none', async () => {
    const saver = start()
    expect(await saver.flush()).toBe('"1"')
    saver.change(content('two'))
    expect(await saver.flush()).toBe('"2"')
    expect(server.stored?.body).toBe('two')
    expect(await saver.flush()).toBe('"2"')
    expect(server.saves).toHaveLength(2)
  })

  it('is saved at once when the person leaves within that moment', async () => {
    const saver = start()
    saver.change(content('one'))
    saver.leave()
    await vi.advanceTimersByTimeAsync(0)
    expect(server.stored?.body).toBe('one')
  })

  it('is not saved any more once it was published or thrown away', async () => {
    const saver = start()
    saver.change(content('one'))
    saver.end()
    saver.change(content('two'))
    saver.leave()
    await pause()
    expect(server.saves).toEqual([])
  })
})
