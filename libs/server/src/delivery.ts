/** Offers on their way down: from the outbox of an agent into messages that it has agreed to and that are not too large. */
import type { CapabilitySet, ServerCapability } from '@drover/protocol'
import { assertConnectionSettings } from './connection-settings.ts'
import type { CustomCapabilities } from './custom-capabilities.ts'
import type { Offer } from './handler.ts'
import type { ServerLimits } from './limits.ts'
import type { RefusalCause, ServerObserver } from './log.ts'
import { admitOffer, type Agreement, type Batch, isEmpty, mergeOffers, takeBatch } from './outbox.ts'
import type { Agent, Binding, Registry } from './registry.ts'
import { encodeContent, encodeRestart } from './server-message.ts'
import { capabilitiesOf } from './session.ts'

export interface DeliveryTools {
  readonly limits: ServerLimits
  readonly registry: Registry
  readonly capabilities: CapabilitySet<ServerCapability>
  readonly customCapabilities: CustomCapabilities
  readonly observer: ServerObserver
  readonly warn: (cause: RefusalCause, message: string, fields: Record<string, string | number>) => void
}

/** Uid, header, capabilities and the lengths of what contains the content. */
const envelopeBytes = 64

export class Delivery {
  readonly #tools: DeliveryTools

  constructor(tools: DeliveryTools) {
    this.#tools = tools
    if (this.#maxContentBytes() <= 0) throw new TypeError('maxOutgoingBytes is too small to send anything')
  }

  /** Puts an offer in the agent's slots. False when the agent takes nothing of it. Throws a TypeError for an offer that nobody may get. */
  post(agent: Agent, offer: Offer): boolean {
    if (offer.connectionSettings !== undefined) assertConnectionSettings(offer.connectionSettings)
    const accepted = agent.binding?.reported ? this.#admit(agent, offer) : offer
    agent.outbox = mergeOffers(agent.outbox, accepted)
    return !isEmpty(accepted)
  }

  /** Sends what waits for an agent on a stream, as far as its reader keeps up. True when nothing waits any more. */
  flush(agent: Agent): boolean {
    const { binding } = agent
    if (binding?.stream === undefined || !binding.reported) return isEmpty(agent.outbox)
    while (!isEmpty(agent.outbox)) {
      if (!binding.stream.hasRoom()) return false
      const message = this.nextMessage(agent, binding, false)
      if (message === undefined) break
      binding.stream.link.send(message)
      this.#tools.observer.sent?.({ transport: binding.info.transport, kind: 'push', bytes: message.length })
    }
    return true
  }

  /** The next message for the agent. Without `isReply`, undefined when there is nothing to say. */
  nextMessage(agent: Agent, binding: Binding, isReply: boolean): Uint8Array | undefined {
    const batch = takeBatch(this.#admit(agent, agent.outbox), this.#maxContentBytes())
    agent.outbox = batch.rest
    this.#reportDropped(agent, batch)
    if (!isReply && !batch.restart && isEmpty(batch.content)) return undefined
    const capabilities = binding.capabilitiesSent && binding.stream !== undefined ? undefined : this.#tools.capabilities
    binding.capabilitiesSent = true
    if (batch.restart) return encodeRestart(agent.addressee, capabilities)
    const { newInstanceUid } = batch.content
    if (newInstanceUid !== undefined) this.#tools.registry.rename(agent, newInstanceUid)
    return encodeContent(agent.addressee, capabilities, { ...batch.content, ...this.#greeting(binding) })
  }

  /** Tells the agent our custom capabilities, which changed. Where it cannot be told at once they go with the next message. */
  announceCustomCapabilities(agent: Agent): void {
    const { binding } = agent
    if (binding === undefined) return
    binding.customCapabilitiesSent = false
    if (binding.stream === undefined || !binding.reported || !binding.stream.hasRoom()) return
    const message = encodeContent(agent.addressee, undefined, this.#greeting(binding))
    binding.stream.link.send(message)
    this.#tools.observer.sent?.({ transport: binding.info.transport, kind: 'push', bytes: message.length })
  }

  /** Our custom capabilities go out once per connection, and when they change. */
  #greeting(binding: Binding): { customCapabilities?: readonly string[] } {
    if (binding.customCapabilitiesSent) return {}
    binding.customCapabilitiesSent = true
    return { customCapabilities: this.#tools.customCapabilities.names }
  }

  #maxContentBytes(): number {
    const { limits, customCapabilities } = this.#tools
    return limits.maxOutgoingBytes - envelopeBytes - customCapabilities.names.reduce((sum, name) => sum + 3 * name.length + 6, 0)
  }

  #admit(agent: Agent, offer: Offer): Offer {
    const { admitted, refused } = admitOffer(offer, this.#agreementWith(agent))
    for (const slot of refused) {
      this.#tools.observer.refused?.('capability')
      this.#tools.warn('capability', 'An offer was dropped: the agent or this server lacks the capability', { uid: agent.uid, slot })
    }
    return admitted
  }

  #agreementWith(agent: Agent): Agreement {
    const { capabilities, customCapabilities } = this.#tools
    return { agent: capabilitiesOf(agent.session), agentCustom: agent.session.customCapabilities, server: capabilities, serverCustom: customCapabilities.names }
  }

  #reportDropped(agent: Agent, batch: Batch): void {
    for (const { slot, bytes } of batch.dropped) {
      this.#tools.observer.droppedForSize?.({ uid: agent.uid, slot, bytes })
      this.#tools.warn('too-large', 'An offer was dropped: it does not fit in a message', { uid: agent.uid, slot, bytes })
    }
  }
}
