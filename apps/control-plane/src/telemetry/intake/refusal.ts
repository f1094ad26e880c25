/** Why a request is turned away. */

export type RefusalCause =
  | 'method'
  | 'headers'
  | 'unauthorized'
  | 'content-type'
  | 'content-encoding'
  | 'too-large'
  | 'too-many'
  | 'malformed'
  | 'rate'
  | 'busy'
  | 'slow'
  | 'stopping'

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly why: RefusalCause
  constructor(why: RefusalCause, message: string) {
    super(message)
    this.why = why
  }
}

export const refusalStatus: Readonly<Record<RefusalCause, number>> = {
  method: 405,
  headers: 431,
  unauthorized: 401,
  'content-type': 415,
  'content-encoding': 415,
  'too-large': 413,
  'too-many': 413,
  malformed: 400,
  rate: 429,
  busy: 503,
  slow: 408,
  stopping: 503,
}
