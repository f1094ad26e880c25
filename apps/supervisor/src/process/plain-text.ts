/** What a program prints, made fit for a report: without escape sequences and secrets, cut to what matters. */
import { redactText } from '@drover/agent-config'
import { readableLine } from './log-line.ts'

// Colours and cursor moves; titles and links with their text; any other two-character sequence.
const escapeSequence = /\u001b(?:\[[0-?]{0,64}[ -/]{0,16}[@-~]|[\]PX^_][^\u0007\u001b]{0,1024}(?:\u0007|\u001b\\)?|[ -/]{0,16}[0-~])/g
/** Left over: control characters but for tab and line end, and the marks that turn the direction of text around. */
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export function plainText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(escapeSequence, '').replace(control, '')
}

/** For people and the Server. Redacted before it is cut, as half a secret may not look like one. */
export function reportText(text: string, maxChars: number): string {
  const whole = redactText(plainText(text)).split('\n').map(readableLine).join('\n').trim()
  if (whole.length <= maxChars) return whole
  const end = whole.slice(-maxChars)
  const firstLineEnd = end.indexOf('\n')
  // From the start of a line, unless that would leave next to nothing.
  return firstLineEnd >= 0 && firstLineEnd < maxChars / 2 ? end.slice(firstLineEnd + 1) : end
}

/**
 * Why a program says that it failed, in one line: from the last `Error:` on (or another word that means it), the empty lines left out; otherwise
 * its last line. Empty when it said nothing.
 */
export function failureText(text: string, maxChars: number): string {
  const lines = redactText(plainText(text))
    .split('\n')
    .map((line) => readableLine(line.trim()))
    .filter((line) => line !== '')
  const start = lines.findLastIndex((line) => /^(?:(?:error|fatal|panic)\b|SIG[A-Z]{2,8}: )/i.test(line))
  // A panic is followed by what each thread was doing.
  const end = lines.findIndex((line, index) => index > start && /^(?:goroutine \d+ |runtime stack:|PC=)/.test(line))
  const found = start < 0 ? lines.slice(-1) : lines.slice(start, end < 0 ? undefined : end)
  const line = found
    .join('; ')
    .replace(/:; /g, ': ')
    .replace(/^error: /i, '')
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 1)}…`
}
