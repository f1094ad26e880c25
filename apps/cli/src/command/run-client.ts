/** Runs a command that talks to the server. */
import { sayApiError } from '../api-errors.ts'
import { connect, resolveConnection } from '../connection.ts'
import type { connectionOptions } from '../connection-options.ts'
import type { Io } from '../io.ts'
import { Output } from '../output/format.ts'
import type { ClientCommand } from './command.ts'
import type { outputOption } from './output-option.ts'
import type { ValuesOf } from './spec.ts'

export async function runClient(command: ClientCommand, io: Io, args: Record<string, unknown>, options: Record<string, unknown>): Promise<void> {
  const common = options as ValuesOf<typeof connectionOptions & typeof outputOption> // as: optionsOf() added these to every client command
  const connection = resolveConnection(io, common)
  try {
    await command.run({ io, connection, api: connect(connection), output: new Output(io, common.output ?? 'table') }, args, options)
  } catch (error) {
    throw sayApiError(error)
  }
}
