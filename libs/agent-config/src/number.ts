/**
 * Numbers as the YAML reader of the Collector and its supervisor takes them. It differs from YAML 1.2: a leading zero means
 * octal, underscores are left out, and there are binary and signed hexadecimal numbers.
 */

const start = /^[-+]?\.?[0-9]/
const integers: readonly { readonly pattern: RegExp; readonly prefix: string }[] = [
  { pattern: /^(?:0|[1-9][0-9]*)$/, prefix: '' },
  { pattern: /^0[xX]([0-9a-fA-F]+)$/, prefix: '0x' },
  { pattern: /^0[oO]?([0-7]+)$/, prefix: '0o' },
  { pattern: /^0[bB]([01]+)$/, prefix: '0b' },
]
const float = /^(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/

const maxDigits = 1000

/** The value of a plain scalar; `bigint` where `number` is not exact; undefined when it is no number that starts with a digit. */
export function readNumber(source: string): number | bigint | undefined {
  if (!start.test(source) || source.length > maxDigits) return undefined
  const plain = source.replaceAll('_', '')
  const negative = plain.startsWith('-')
  const magnitude = plain.replace(/^[-+]/, '')
  for (const { pattern, prefix } of integers) {
    const match = pattern.exec(magnitude)
    if (match !== null) return fitInteger(BigInt(prefix + (match[1] ?? magnitude)), negative)
  }
  return float.test(magnitude) ? Number(plain) : undefined
}

/** 64 bits hold it exactly, beyond that it is a floating point number. */
function fitInteger(magnitude: bigint, negative: boolean): number | bigint {
  const value = negative ? -magnitude : magnitude
  if (value < -(2n ** 63n) || value >= 2n ** 64n) return Number(value)
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
