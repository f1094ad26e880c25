/** What an HTTP status other than success means, in answer to an upgrade or to a request. Pure. */
import { ChannelError } from './channel-error.ts'
import { parseRetryAfter } from './retry-after.ts'

export function statusError(status: number, retryAfter: string | undefined, now: number): ChannelError {
  switch (status) {
    case 401:
      return new ChannelError('unauthorized', 'the server refuses our credentials (HTTP 401)')
    case 403:
      return new ChannelError('unauthorized', 'the server does not let us in (HTTP 403)')
    case 413:
      return new ChannelError('too-large', 'the server takes no message as large as ours (HTTP 413)')
    case 429:
    case 503:
      return new ChannelError('overloaded', `the server is overloaded (HTTP ${status})`, { retryAfterMs: parseRetryAfter(retryAfter, now) })
    default:
      return new ChannelError('status', `the server answered HTTP ${status}`)
  }
}
