/** Saves what is being written as a draft, a moment after the last change; stops when somebody else edited the draft meanwhile. */
import type { ConfigFile } from '@drover/api'
import { sameFiles } from '../files.ts'

export interface DraftContent {
  readonly description: string
  readonly files: readonly ConfigFile[]
  readonly message: string
}

/** The draft as the server has it. */
export interface StoredDraft {
  readonly content: DraftContent
  readonly etag: string
  readonly at: string
}

export type DraftState =
  /** It is what was begun from: there is nothing to keep. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'unsaved' }
  | { readonly kind: 'saving' }
  | { readonly kind: 'saved'; readonly at: string }
  /** Tried again after a while, and with the next change. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Nothing is saved until `adopt` says what counts. */
  | { readonly kind: 'conflict' }

export interface DraftSaverOptions {
  /** What is worth no draft while there is none. */
  readonly begun: DraftContent
  /** A draft that was there at the start. */
  readonly stored: StoredDraft | undefined
  /** `edited`: the ETag of the draft that this one replaces; undefined: there must be none. */
  readonly save: (content: DraftContent, edited: string | undefined) => Promise<{ readonly etag: string; readonly at: string }>
  readonly isConflict: (error: unknown) => boolean
}

export const SAVE_AFTER_MS = 1_200
export const RETRY_AFTER_MS = 10_000

export const sameContent = (left: DraftContent, right: DraftContent): boolean =>
  left.description === right.description && left.message === right.message && sameFiles(left.files, right.files)

export class DraftSaver {
  readonly #options: DraftSaverOptions
  readonly #listeners = new Set<() => void>()
  #content: DraftContent
  #stored: StoredDraft | undefined
  #state: DraftState
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined
  #over = false

  constructor(options: DraftSaverOptions) {
    this.#options = options
    this.#stored = options.stored
    this.#content = options.stored?.content ?? options.begun
    this.#state = this.#atRest()
  }

  get state(): DraftState {
    return this.#state
  }

  /** The draft as it was last saved or loaded. */
  get stored(): StoredDraft | undefined {
    return this.#stored
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(content: DraftContent): void {
    this.#content = content
    if (this.#over || this.#state.kind === 'conflict' || this.#running !== undefined) return
    clearTimeout(this.#timer)
    if (this.#isKept()) return this.#set(this.#atRest())
    this.#set({ kind: 'unsaved' })
    this.#timer = setTimeout(() => void this.#save(), SAVE_AFTER_MS)
  }

  /** Saves what is not saved yet, and makes a draft when there is none. Gives the draft's ETag; throws when it could not be saved. */
  async flush(): Promise<string> {
    clearTimeout(this.#timer)
    await this.#running
    if (!this.#over && this.#state.kind !== 'conflict' && (this.#stored === undefined || !this.#isKept())) await this.#save()
    if (this.#state.kind === 'failed') throw this.#state.error
    if (this.#stored === undefined || this.#state.kind === 'conflict') throw new Error('Somebody else edited the draft meanwhile. Compare both first')
    return this.#stored.etag
  }

  /** The person leaves: what is not saved yet is, without waiting for it. */
  leave(): void {
    if (this.#state.kind === 'unsaved') void this.#save()
  }

  /** What the server has now; undefined: no draft any more. The next change, or `flush`, replaces it. */
  adopt(stored: StoredDraft | undefined): void {
    this.#stored = stored
    this.#set(this.#atRest())
    this.change(this.#content)
  }

  /** The draft was published or thrown away: nothing is saved any more. */
  end(): void {
    this.#over = true
    clearTimeout(this.#timer)
    this.#set({ kind: 'unchanged' })
  }

  async #save(): Promise<void> {
    clearTimeout(this.#timer)
    const content = this.#content
    this.#set({ kind: 'saving' })
    const saving = this.#options.save(content, this.#stored?.etag).then(
      ({ etag, at }) => this.#onSaved({ content, etag, at }),
      (error: unknown) => this.#onFailed(error),
    )
    this.#running = saving
    await saving
  }

  #onSaved(stored: StoredDraft): void {
    this.#running = undefined
    if (this.#over) return
    this.#stored = stored
    this.#set(this.#atRest())
    this.change(this.#content)
  }

  #onFailed(error: unknown): void {
    this.#running = undefined
    if (this.#over) return
    if (this.#options.isConflict(error)) return this.#set({ kind: 'conflict' })
    this.#set({ kind: 'failed', error })
    this.#timer = setTimeout(() => void this.#save(), RETRY_AFTER_MS)
  }

  #isKept(): boolean {
    return sameContent(this.#content, this.#stored?.content ?? this.#options.begun)
  }

  #atRest(): DraftState {
    return this.#stored === undefined ? { kind: 'unchanged' } : { kind: 'saved', at: this.#stored.at }
  }

  #set(state: DraftState): void {
    this.#state = state
    for (const notify of this.#listeners) notify()
  }
}
