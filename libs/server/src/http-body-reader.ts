/** Reads the body of a request up to a size and within a time, and not a byte further. */
import type { IncomingMessage } from 'node:http'
import type { InFlightBytes } from './in-flight-bytes.ts'
import type { ServerLimits } from './limits.ts'
import type { TimerWheel } from './timer-wheel.ts'

export type BodyRefusal = 'too-large' | 'unsupported-encoding' | 'slow' | 'in-flight-bytes' | 'malformed'

export interface BodyTools {
  readonly inFlight: InFlightBytes
  readonly limits: ServerLimits
  readonly wheel: TimerWheel
}

/** The bytes of a body that was read are reserved; the caller releases them. */
export function readBody(request: IncomingMessage, tools: BodyTools): Promise<{ readonly body: Uint8Array } | { readonly refusal: BodyRefusal }> {
  const { inFlight, limits, wheel } = tools
  if (Number(request.headers['content-length'] ?? 0) > limits.maxMessageBytes) return Promise.resolve({ refusal: 'too-large' })
  if (!isKnownCoding(request.headers['content-encoding'])) return Promise.resolve({ refusal: 'unsupported-encoding' })
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const deadline = wheel.after(limits.bodyMs, () => refuse('slow'))
    const stop = () => {
      deadline.cancel()
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    }
    const refuse = (refusal: BodyRefusal) => {
      stop()
      request.pause()
      inFlight.release(bytes)
      resolve({ refusal })
    }
    const onData = (chunk: Buffer) => {
      if (bytes + chunk.length > limits.maxMessageBytes) return refuse('too-large')
      if (!inFlight.reserve(chunk.length)) return refuse('in-flight-bytes')
      bytes += chunk.length
      chunks.push(chunk)
    }
    const onEnd = () => {
      stop()
      resolve({ body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) }) // !: there is one
    }
    const onGone = () => refuse('malformed')
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
  })
}

/** Looked at before the body is read, so that nothing is read in vain. */
function isKnownCoding(contentEncoding: string | undefined): boolean {
  return ['', 'identity', 'gzip', 'x-gzip'].includes(contentEncoding?.trim().toLowerCase() ?? '')
}
