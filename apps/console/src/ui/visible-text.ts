/** Makes characters visible that a reader would not see, or that would change how the text around them is shown. Pure. */

export interface TextPiece {
  readonly text: string
  /** Set when `text` stands for a hidden character: its code point, e.g. `U+202E`. */
  readonly codePoint?: string
}

// C0 except tab and newline, DEL and C1, zero-width and bidirectional controls, line separators, BOM, tags.
// oxlint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** Cuts a text into what is shown as it is and what is shown as a symbol. Newlines and tabs stay. */
export function visiblePieces(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = []
  let end = 0
  for (const match of text.matchAll(hidden)) {
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) })
    pieces.push(symbolFor(match[0]))
    end = match.index + match[0].length
  }
  if (end < text.length) pieces.push({ text: text.slice(end) })
  return pieces
}

/** The same as one string, for titles and labels. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map((piece) => piece.text)
    .join('')
}

function symbolFor(character: string): TextPiece {
  const code = character.codePointAt(0) ?? 0
  const codePoint = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return { text: `⟨${codePoint}⟩`, codePoint }
}
