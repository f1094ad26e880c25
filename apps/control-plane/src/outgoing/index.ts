/** Calls to addresses that people gave. */
export { OutgoingError } from './errors.ts'
export type { OutgoingFailure } from './errors.ts'
export { createOutgoing } from './outgoing.ts'
export type { Outgoing, OutgoingAnswer, OutgoingOptions, OutgoingRequest } from './outgoing.ts'
export { createSigningSecret, signedHeaders } from './signature.ts'
