/** `-o`: how a result is printed. */
import { outputFormats } from '../output/format.ts'
import { choice } from './spec.ts'

export const outputOption = { output: choice('-o, --output <format>', 'table for people, json or yaml for programs', outputFormats) } as const
