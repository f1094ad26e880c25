/** What the store of own telemetry holds and costs, at the foot of the overview. */
import { useQuery } from '@tanstack/react-query'
import { telemetryStatusQuery } from '../../api/telemetry-queries.ts'
import { bytes } from '../../ui/time.ts'
import { refusedText, tierText } from './telemetry-facts.ts'

export function TelemetryFoot() {
  const { data } = useQuery(telemetryStatusQuery)
  if (data === undefined) return null
  const refused = refusedText(data.refused)
  const facts = [
    `${data.agents.toLocaleString('en')} ${data.agents === 1 ? 'agent sends' : 'agents send'} metrics`,
    `${bytes(data.bytes)} of ${bytes(data.budgetBytes)} on disk`,
    ...data.tiers.filter(({ keptSeconds }) => keptSeconds > 0).map(tierText),
    ...(data.spans > 0 ? [`${data.spans.toLocaleString('en')} spans counted`] : []),
    ...(refused === undefined ? [] : [`refused: ${refused}`]),
  ]
  return (
    <footer className="telemetry-foot" aria-label="Own telemetry">
      <strong>Own telemetry</strong>
      {facts.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </footer>
  )
}
