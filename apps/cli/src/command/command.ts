/** A command as a value: what it is called, takes and does. Help, parsing and completion are all made from it. */
import type { ApiClient } from '@drover/api'
import type { Connection } from '../connection.ts'
import type { Io } from '../io.ts'
import type { Output } from '../output/format.ts'
import type { ArgumentSpecs, OptionSpecs, ValuesOf } from './spec.ts'

export interface Example {
  /** What follows `drover `. */
  readonly run: string
  readonly what: string
}

/** What a command that talks to the server gets. */
export interface ClientContext {
  readonly io: Io
  readonly output: Output
  readonly api: ApiClient
  readonly connection: Connection
}

interface Described {
  readonly name: string
  /** One sentence without a full stop. */
  readonly description: string
  readonly examples: readonly Example[]
}

export interface ClientCommand<A extends ArgumentSpecs = ArgumentSpecs, O extends OptionSpecs = OptionSpecs> extends Described {
  readonly kind: 'client'
  readonly args: A
  readonly options: O
  run(context: ClientContext, args: ValuesOf<A>, options: ValuesOf<O>): Promise<void>
}

/** A command that needs no server. */
export interface LocalCommand<A extends ArgumentSpecs = ArgumentSpecs, O extends OptionSpecs = OptionSpecs> extends Described {
  readonly kind: 'local'
  readonly args: A
  readonly options: O
  /** Not shown in help. */
  readonly hidden?: true
  run(io: Io, args: ValuesOf<A>, options: ValuesOf<O>): Promise<void>
}

// any: as below.
// oxlint-disable-next-line typescript/no-explicit-any
export type GroupAction = Pick<LocalCommand<Readonly<Record<string, never>>, any>, 'options' | 'examples' | 'run'>

export interface CommandGroup {
  readonly kind: 'group'
  readonly name: string
  readonly description: string
  readonly commands: readonly Command[]
  /** What the group does itself, when none of its commands is named. It takes options alone. */
  readonly self?: GroupAction
}

// any: a list of commands with different arguments has no common parameter type.
// oxlint-disable-next-line typescript/no-explicit-any
export type Command = ClientCommand<any, any> | LocalCommand<any, any> | CommandGroup

export function clientCommand<A extends ArgumentSpecs, O extends OptionSpecs>(command: Omit<ClientCommand<A, O>, 'kind'>): ClientCommand<A, O> {
  return { kind: 'client', ...command }
}

export function groupAction<O extends OptionSpecs>(
  action: Pick<LocalCommand<Readonly<Record<string, never>>, O>, 'options' | 'examples' | 'run'>,
): GroupAction {
  return action
}

export function localCommand<A extends ArgumentSpecs, O extends OptionSpecs>(command: Omit<LocalCommand<A, O>, 'kind'>): LocalCommand<A, O> {
  return { kind: 'local', ...command }
}
