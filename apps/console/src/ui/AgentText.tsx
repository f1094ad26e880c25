/** Text that an agent or another person chose: shown as text, with hidden characters made visible. */
import { visiblePieces } from './visible-text.ts'

export function AgentText({ text }: { readonly text: string }) {
  return (
    <>
      {visiblePieces(text).map((piece, index) =>
        piece.codePoint === undefined ? (
          piece.text
        ) : (
          <span key={index} className="visible-control" title={piece.codePoint}>
            {piece.text}
          </span>
        ),
      )}
    </>
  )
}
