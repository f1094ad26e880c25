/** How much a peer may make us read. */

export interface DecodeLimits {
  /** Of a message, uncompressed, without the WebSocket header. */
  readonly maxMessageBytes: number
  /** Messages, map entries and unknown groups inside each other; the outermost message is level 1. */
  readonly maxDepth: number
  /** AnyValues inside each other. */
  readonly maxAnyValueDepth: number
  /** Fields on the wire, known or not, in all levels together. Bounds the time and the objects a message costs. */
  readonly maxElements: number
  /** Attributes of the agent description (both lists together), of one health node, or of one component. */
  readonly maxAttributes: number
  /** Of one attribute, key and value, encoded. */
  readonly maxAttributeBytes: number
  /** Of all attributes of the agent description together, encoded: a server keeps them for each agent, and compares them with selectors. */
  readonly maxDescriptionBytes: number
  /** Health nodes of a message, the root included. */
  readonly maxHealthNodes: number
}

/**
 * Far above what real agents send: a Collector with every contributed component reports some 6,000 elements.
 * The specification suggests 64 MiB for a message; 4 MiB keeps 10,000 agents from filling the memory of a server.
 */
export const defaultLimits: DecodeLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxDepth: 100,
  maxAnyValueDepth: 32,
  maxElements: 100_000,
  maxAttributes: 256,
  maxAttributeBytes: 4 * 1024,
  maxDescriptionBytes: 64 * 1024,
  maxHealthNodes: 2_000,
}
