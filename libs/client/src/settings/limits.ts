/** How much an offer of connection settings may contain. */

export const offerLimits = {
  endpointChars: 2_048,
  proxyUrlChars: 2_048,
  headers: 100,
  /** Names and values together. */
  headerChars: 16_384,
  authoritiesBytes: 512 * 1024,
  certificateBytes: 64 * 1024,
  privateKeyBytes: 16 * 1024,
  cipherSuites: 64,
  /** The longest that a timer can wait, some 24 days. */
  heartbeatSeconds: 2_147_483,
  /** Named destinations that are remembered. */
  otherConnections: 256,
  /** Of what a status says about a failure. */
  reasonChars: 1_000,
} as const
