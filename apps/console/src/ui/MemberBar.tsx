/** Agents of a rollout or of one wave as a segmented bar; what it shows is also said in words. */
import { VisuallyHidden } from '@mantine/core'
import './rollouts.css'
import { type Counts, countsInWords, memberParts, partsOf } from './rollout-states.ts'

export function MemberBar({ counts }: { readonly counts: Counts }) {
  const words = countsInWords(counts)
  return (
    <>
      <VisuallyHidden>{words}</VisuallyHidden>
      <span className="member-bar" aria-hidden title={words}>
        {partsOf(counts).map(({ part, count }) => (
          <i key={part} data-part={part} style={{ flexGrow: count }} title={`${count.toLocaleString('en')} ${memberParts[part].meaning}`} />
        ))}
      </span>
    </>
  )
}
