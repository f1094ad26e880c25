/** Custom messages that wait for the agent to connect; bounded in number and size. */
import type { CustomMessage } from '@drover/protocol'

const maxMessages = 64
const maxBytes = 1024 * 1024

export class MessageQueue {
  #messages: CustomMessage[] = []
  #bytes = 0

  /** False when there is no room. */
  add(message: CustomMessage): boolean {
    const bytes = message.data.length + message.capability.length + message.type.length
    if (this.#messages.length >= maxMessages || this.#bytes + bytes > maxBytes) return false
    this.#messages.push(message)
    this.#bytes += bytes
    return true
  }

  takeAll(): readonly CustomMessage[] {
    const messages = this.#messages
    this.clear()
    return messages
  }

  clear(): void {
    this.#messages = []
    this.#bytes = 0
  }
}
