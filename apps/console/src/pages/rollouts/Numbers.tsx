/** The numbers that something was judged or decided on, folded away until somebody asks. */
import { numberText, wordsOf } from './rollout-view.ts'

export function Numbers({ numbers, note }: { readonly numbers: Readonly<Record<string, number>>; readonly note?: string }) {
  const entries = Object.entries(numbers)
  if (entries.length === 0) return note === undefined ? null : <span className="numbers-note">{note}</span>
  return (
    <details className="numbers">
      <summary>Numbers{note === undefined ? '' : `, ${note}`}</summary>
      <dl>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{wordsOf(name)}</dt>
            <dd>{numberText(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}
