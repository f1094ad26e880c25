/** Text to read or copy, as it is. */
import { CopyButton } from './CopyButton.tsx'

export function CodeBlock({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div className="code-block">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable, so that the arrow keys can scroll it */}
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <div className="code-block-copy">
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  )
}
