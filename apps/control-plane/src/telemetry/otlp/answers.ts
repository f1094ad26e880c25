/** Answers of OTLP/HTTP, in the encoding of the request. */

export type Encoding = 'protobuf' | 'json'
export type OtlpSignal = 'metrics' | 'logs' | 'traces'

export const contentTypes: Readonly<Record<Encoding, string>> = { protobuf: 'application/x-protobuf', json: 'application/json' }

export interface PartialSuccess {
  readonly rejected: number
  readonly message: string
}

const rejectedNames: Readonly<Record<OtlpSignal, string>> = { metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords', traces: 'rejectedSpans' }

/** Export…ServiceResponse: empty when all was taken. */
export function successBody(signal: OtlpSignal, encoding: Encoding, partial: PartialSuccess | undefined): Buffer {
  if (encoding === 'json') {
    const answer = partial === undefined ? {} : { partialSuccess: { [rejectedNames[signal]]: String(partial.rejected), errorMessage: partial.message } }
    return Buffer.from(JSON.stringify(answer))
  }
  if (partial === undefined) return Buffer.alloc(0)
  return lengthDelimited(1, Buffer.concat([varintField(1, partial.rejected), lengthDelimited(2, Buffer.from(partial.message))]))
}

/** Codes of google.rpc.Code. */
const rpcCodes: Readonly<Record<number, number>> = { 400: 3, 401: 16, 408: 4, 413: 3, 415: 3, 429: 8, 503: 14 }

/** google.rpc.Status. */
export function statusBody(status: number, message: string, encoding: Encoding): Buffer {
  const code = rpcCodes[status] ?? 2
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }))
  return Buffer.concat([varintField(1, code), lengthDelimited(2, Buffer.from(message))])
}

function varintField(field: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([field << 3]), varint(value)])
}

function lengthDelimited(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2]), varint(content.length), content])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
