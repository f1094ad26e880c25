/** Which transport an endpoint means. */
import type { Channel } from './channel.ts'
import { ChannelError } from './channel-error.ts'
import { openHttp } from './http-channel.ts'
import { type ChannelTarget, openWebSocket } from './websocket-channel.ts'

/** Settles when a first message may be sent. Rejects with a ChannelError. */
export async function openChannel(target: ChannelTarget, signal: AbortSignal): Promise<Channel> {
  switch (target.endpoint.protocol) {
    case 'ws:':
    case 'wss:':
      return openWebSocket(target, signal)
    case 'http:':
    case 'https:':
      return openHttp(target)
    default:
      throw new ChannelError('connect', `the endpoint has the unknown scheme ${target.endpoint.protocol}`)
  }
}
