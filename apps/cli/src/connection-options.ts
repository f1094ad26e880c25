/** Options of every command that talks to the server. */
import { text } from './command/spec.ts'

export const defaultUrl = 'http://127.0.0.1:4321'

export const connectionOptions = {
  url: text('--url <url>', `console address of the server (DROVER_URL; default ${defaultUrl})`),
  token: text('--token <token>', 'API token (DROVER_TOKEN; default: admin.token of the data folder on this machine)'),
  tokenFile: text('--token-file <file>', 'file that holds the API token', { completes: 'file' }),
} as const
