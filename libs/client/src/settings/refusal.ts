/** Why an offer is not even tried. */

/** The message is for the Server: no secrets in it, and nothing that the Server wrote. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}
