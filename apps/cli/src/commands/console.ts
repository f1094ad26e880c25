/** `drover console`: a new one-time sign-in link. */
import { clientCommand } from '../command/command.ts'
import { formatAgo } from '../output/time.ts'

export const consoleCommand = clientCommand({
  name: 'console',
  description: 'Make a one-time sign-in link for the console',
  args: {},
  options: {},
  examples: [{ run: 'console', what: 'print a link that signs one browser in' }],
  async run({ api, io, output }) {
    const { data } = await api.createSignInLink({})
    output.result(data, () => `${data.url}\n`)
    if (output.format === 'table') output.note(`It works once and expires ${formatAgo(data.expiresAt, io.now())}.`)
  },
})
