/** How far the members of a group are with the configuration they should have. */
import type { AgentCounts } from '@drover/api'
import { VisuallyHidden } from '@mantine/core'

export function MemberProgress({ counts }: { readonly counts: AgentCounts }) {
  const text = `${counts.applied} of ${counts.total} applied, ${counts.applying} applying, ${counts.failed} failed`
  const width = (count: number) => ({ width: `${counts.total === 0 ? 0 : (count / counts.total) * 100}%` })
  return (
    <>
      <VisuallyHidden>{text}</VisuallyHidden>
      <span className="progress" title={text} aria-hidden>
        <i data-tone="ok" style={width(counts.applied)} />
        <i data-tone="busy" style={width(counts.applying)} />
        <i data-tone="bad" style={width(counts.failed)} />
      </span>
    </>
  )
}
