/** What a scalar without quotes stands for, for the fast reader and writer. */
import { readNumber } from './number.ts'
import type { ConfigValue } from './value.ts'

/** Thrown by the fast reader and writer where only the full ones can tell. */
export class Unusual extends Error {}

/** As keys or plain values, YAML 1.1 or 1.2 takes these for something else than text. */
export const reserved = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf|infinity)$/i
/** An address, a duration, a size, a UUID: it starts with a digit and yet is no number to any reader of YAML. */
export const plainWithDigits = /^(?:[0-9]+(?:(?:\.[0-9]+){3}(?::[0-9]+)?|ms|[smh]|[KMGT]i?B|%)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const wholeNumber = /^(?:0|-?[1-9][0-9]{0,14})$/
const notANumber = /inf|nan/i
const maxNumberLength = 1000
/** Of the words that are no text. */
export const maxWordLength = 5
const words: ReadonlyMap<string, ConfigValue> = new Map<string, ConfigValue>([
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
  ...['null', 'Null', 'NULL', '~'].map((word) => [word, null] as const),
])

const date = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:$|[Tt ])/

/** What Go's reader of YAML takes for a point in time. */
export function isDate(text: string): boolean {
  return date.test(text)
}

/** Characters that a plain scalar cannot begin with, or that mean something there. */
const notAtStart = new Set(Array.from(',[]{}#&*!|>\'"%@`?:', (character) => character.charCodeAt(0)))

/** `text`: one line, without spaces around it and without `: ` or ` #` in it. */
export function readPlain(text: string): ConfigValue {
  const first = text.charCodeAt(0)
  if (notAtStart.has(first)) throw new Unusual()
  // Digits and the signs and the point before them.
  if ((first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46) return readNumeric(text)
  if (text.length <= maxWordLength) {
    const word = words.get(text)
    if (word !== undefined) return word
    if (first === 126) throw new Unusual()
  }
  return text
}

function readNumeric(text: string): ConfigValue {
  if (wholeNumber.test(text)) return Number(text)
  if (text.length > maxNumberLength || text === '-' || text.startsWith('- ') || text.startsWith('---') || text.startsWith('...')) throw new Unusual()
  const number = readNumber(text)
  if (number !== undefined) return number
  if (notANumber.test(text) || isDate(text)) throw new Unusual()
  return text
}
