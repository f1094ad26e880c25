/** Enrolment tokens of agents and API tokens of programs. */
import { PageHeader } from '../../ui/PageHeader.tsx'
import { ApiTokens } from './ApiTokens.tsx'
import { EnrolmentTokens } from './EnrolmentTokens.tsx'

export function TokensPage() {
  return (
    <>
      <PageHeader title="Tokens" below={<span className="dimmed">Values are shown once, when a token is made. The server keeps only their hashes.</span>} />
      <div className="stack">
        <EnrolmentTokens />
        <ApiTokens />
      </div>
    </>
  )
}
