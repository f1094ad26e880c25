/** What waits for an agent: one slot per kind, the latest wins. Pure rules: what may go, and what fits in one message. */
import { create, toBinary } from '@bufbuild/protobuf'
import { type AgentCapability, type CapabilitySet, ConnectionSettingsOffersSchema, CustomMessageSchema, type ServerCapability } from '@drover/protocol'
import { acceptedSettings } from './connection-settings.ts'
import type { Offer } from './handler.ts'
import type { MessageContent } from './server-message.ts'
import { lengthDelimitedBytes } from './wire.ts'

export type Slot = keyof Offer

export const emptyOutbox: Offer = Object.freeze({})

export function isEmpty(outbox: object): boolean {
  for (const _ in outbox) return false
  return true
}

/** Empty values of the newer offer do not clear a slot: nothing can be taken back, only replaced. */
export function mergeOffers(waiting: Offer, newer: Offer): Offer {
  if (isEmpty(waiting)) return newer
  const merged: Record<string, unknown> = { ...waiting }
  for (const [slot, value] of Object.entries(newer)) if (value !== undefined) merged[slot] = value
  return merged as Offer // as: made of two offers, slot by slot
}

/** What both sides have declared; the agent's latest word counts. */
export interface Agreement {
  readonly agent: CapabilitySet<AgentCapability>
  readonly agentCustom: ReadonlySet<string>
  readonly server: CapabilitySet<ServerCapability>
  readonly serverCustom: readonly string[]
}

/** Splits off what the agent has not agreed to, or this server does not do. Refused slots are dropped, not kept for later. */
export function admitOffer(offer: Offer, agreement: Agreement): { readonly admitted: Offer; readonly refused: readonly Slot[] } {
  const admitted: Record<string, unknown> = {}
  const refused: Slot[] = []
  for (const slot of Object.keys(offer) as Slot[]) {
    // as: an offer has no other keys
    const value = admitSlot(slot, offer, agreement)
    if (value !== undefined) admitted[slot] = value
    else if (offer[slot] !== undefined) refused.push(slot)
  }
  return { admitted: admitted as Offer, refused } // as: made of an offer's slots
}

function admitSlot(slot: Slot, offer: Offer, { agent, agentCustom, server, serverCustom }: Agreement): Offer[Slot] {
  switch (slot) {
    case 'remoteConfig':
      return agent.has('AcceptsRemoteConfig') && server.has('OffersRemoteConfig') ? offer.remoteConfig : undefined
    case 'connectionSettings':
      if (offer.connectionSettings === undefined || !server.has('OffersConnectionSettings')) return undefined
      return acceptedSettings(offer.connectionSettings, agent)
    case 'restart':
      return agent.has('AcceptsRestartCommand') ? offer.restart : undefined
    case 'customMessage': {
      const capability = offer.customMessage?.capability ?? ''
      return agentCustom.has(capability) && serverCustom.includes(capability) ? offer.customMessage : undefined
    }
    case 'reportAvailableComponents':
      return agent.has('ReportsAvailableComponents') ? offer.reportAvailableComponents : undefined
    case 'newInstanceUid':
    case 'reportFullState':
      return offer[slot]
    default:
      throw new TypeError(`not a slot: ${String(slot satisfies never)}`)
  }
}

export interface Batch {
  readonly content: MessageContent
  /** The message is a command and holds nothing else. */
  readonly restart: boolean
  readonly rest: Offer
  /** Too large to go in any message. */
  readonly dropped: readonly { readonly slot: Slot; readonly bytes: number }[]
}

/** In the order in which an agent should learn things: who it is, what to report, then what to do. */
const slotOrder = ['newInstanceUid', 'reportFullState', 'reportAvailableComponents', 'customMessage', 'connectionSettings', 'remoteConfig'] as const

/**
 * The next message out of what waits. What does not fit beside the rest waits for the one after; what does not fit in an
 * otherwise empty message is dropped. A restart goes last and alone: whatever waits with it should be there before.
 */
export function takeBatch(outbox: Offer, maxContentBytes: number): Batch {
  const content: Record<string, unknown> = {}
  const rest: Record<string, unknown> = {}
  const dropped: { slot: Slot; bytes: number }[] = []
  let used = 0
  for (const slot of slotOrder) {
    const value = outbox[slot]
    if (value === undefined) continue
    const bytes = slotBytes(slot, outbox)
    if (bytes > maxContentBytes) dropped.push({ slot, bytes })
    else if (used + bytes > maxContentBytes) rest[slot] = value
    else {
      content[slot] = value
      used += bytes
    }
  }
  const alone = outbox.restart === true && used === 0 && isEmpty(rest as Offer)
  if (outbox.restart === true && !alone) rest['restart'] = true
  return { content: content as MessageContent, restart: alone, rest: rest as Offer, dropped } // as: made of an offer's slots
}

/** Encoded size, or an upper bound of it. */
function slotBytes(slot: (typeof slotOrder)[number], offer: Offer): number {
  switch (slot) {
    case 'newInstanceUid':
      return 20
    case 'reportFullState':
    case 'reportAvailableComponents':
      return 2
    case 'customMessage':
      return lengthDelimitedBytes(toBinary(CustomMessageSchema, create(CustomMessageSchema, offer.customMessage!)).length) // !: the caller looked
    case 'connectionSettings':
      return lengthDelimitedBytes(toBinary(ConnectionSettingsOffersSchema, create(ConnectionSettingsOffersSchema, offer.connectionSettings!)).length) // !: the caller looked
    case 'remoteConfig':
      return offer.remoteConfig!.encoded.length // !: the caller looked
    default:
      throw new TypeError(`not a slot: ${String(slot satisfies never)}`)
  }
}
