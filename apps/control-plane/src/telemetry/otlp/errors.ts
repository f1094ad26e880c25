/** Why a body of OTLP is not taken. */

export type OtlpFault = 'malformed' | 'too-large' | 'too-many'

export class OtlpError extends Error {
  override readonly name = 'OtlpError'
  readonly fault: OtlpFault
  constructor(fault: OtlpFault, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.fault = fault
  }
}
