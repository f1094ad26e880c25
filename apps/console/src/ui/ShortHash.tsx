/** The start of a hash, the whole of it in the title and on the clipboard. */
import { CopyButton } from './CopyButton.tsx'

export function ShortHash({ hash, none = 'none' }: { readonly hash: string | null; readonly none?: string }) {
  if (hash === null || hash === '') return <span className="dimmed">{none}</span>
  return (
    <span className="nowrap">
      <code title={hash}>{hash.slice(0, 12)}</code> <CopyButton text={hash} label="Copy hash" />
    </span>
  )
}
