/** Something could not be loaded or done: what the server said, and a way to try again. */
import { Button } from '@mantine/core'
import { describeError } from '../api/client.ts'
import { AgentText } from './AgentText.tsx'
import { Notice } from './Notice.tsx'

export function ErrorState({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { title, detail, fields } = describeError(error)
  return (
    <Notice tone="bad" title={title} urgent>
      <span className="wrap-anywhere">
        <AgentText text={detail} />
      </span>
      {fields.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 18 }}>
          {fields.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              <code>{field}</code>: <AgentText text={message} />
            </li>
          ))}
        </ul>
      )}
      {onRetry !== undefined && (
        <div>
          <Button variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </Notice>
  )
}
