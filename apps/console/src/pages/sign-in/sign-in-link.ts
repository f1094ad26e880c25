/** Reads the one-time code from an address, or from whatever a person pastes. Pure. */

/** The code in `#code=…` or `?code=…`. */
export function codeFromAddress(search: string, hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, '')).get('code') || new URLSearchParams(search).get('code') || undefined
}

/** A whole link or the bare code. */
export function codeFromPasted(pasted: string): string | undefined {
  const text = pasted.trim()
  if (URL.canParse(text)) {
    const url = new URL(text)
    return codeFromAddress(url.search, url.hash)
  }
  return text === '' ? undefined : text
}

/** Where to go after signing in: only an address of this console. */
export function safeNext(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/'
}
