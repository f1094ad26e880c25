/** Agents of a rollout or of one wave as a segmented bar; what it shows is also said in words. */
import { VisuallyHidden } from '@mantine/core'
import './rollouts.css'
import { type Counts, countsInWords, memberParts, partsOf } from './rollout-states.ts'

/** `silent`: the words stand beside it already. */
export function MemberBar({ counts, silent = false }: { readonly counts: Counts; readonly silent?: boolean }) {
  const words = countsInWords(counts)
  return (
    <>
      {!silent && <VisuallyHidden>{words}</VisuallyHidden>}
      <span className="member-bar" aria-hidden title={words}>
        {partsOf(counts).map(({ part, count }) => (
          <i key={part} data-part={part} style={{ flexGrow: count }} title={`${count.toLocaleString('en')} ${memberParts[part].meaning}`} />
        ))}
      </span>
    </>
  )
}
