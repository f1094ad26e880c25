/** Who wants to know when a credential stops counting: a stream that is open must not outlive what opened it. */

export interface CredentialWatch {
  /** Calls back once, when the credential is ended or its time is over. Returns how to stop watching. */
  watch(id: string, expiresAt: number | null, ended: () => void): () => void
  /** Signed out or revoked. */
  end(id: string): void
  /** To be called now and then. */
  endExpired(now: number): void
}

interface Watcher {
  readonly expiresAt: number | null
  readonly ended: () => void
}

export function createCredentialWatch(): CredentialWatch {
  const watchers = new Map<string, Set<Watcher>>()
  const endIf = (id: string, isOver: (watcher: Watcher) => boolean): void => {
    const known = watchers.get(id) ?? new Set()
    for (const watcher of [...known].filter(isOver)) {
      known.delete(watcher)
      watcher.ended()
    }
    if (known.size === 0) watchers.delete(id)
  }
  return {
    watch: (id, expiresAt, ended) => {
      const watcher: Watcher = { expiresAt, ended }
      const known = watchers.get(id) ?? new Set()
      watchers.set(id, known.add(watcher))
      return () => {
        known.delete(watcher)
        if (known.size === 0 && watchers.get(id) === known) watchers.delete(id)
      }
    },
    end: (id) => endIf(id, () => true),
    endExpired: (now) => {
      for (const id of watchers.keys()) endIf(id, ({ expiresAt }) => expiresAt !== null && expiresAt <= now)
    },
  }
}
