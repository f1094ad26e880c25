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

/** The value of a plain scalar; `bigint` where `number` is not exact; undefined when it is no number that starts with a digit, or one beyond all floating point numbers. */
export function readNumber(source: string): number | bigint | undefined {
  if (!start.test(source) || source.length > maxDigits) return undefined
  const plain = source.replaceAll('_', '')
  const negative = plain.startsWith('-')
  const magnitude = plain.replace(/^[-+]/, '')
  for (const { pattern, prefix } of integers) {
    const match = pattern.exec(magnitude)
    if (match !== null) return fitInteger(BigInt(prefix + (match[1] ?? magnitude)), negative)
  }
  if (!float.test(magnitude)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? value : undefined
}

/** 64 bits hold it exactly, beyond that it is a floating point number. */
function fitInteger(magnitude: bigint, negative: boolean): number | bigint {
  const value = negative ? -magnitude : magnitude
  if (value < -(2n ** 63n) || value >= 2n ** 64n) return Number(value)
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** What a key becomes that is a number: as Go prints it, so `0x10` is `16`, `1.0` is `1` and `1e9` is `1e+09`; undefined when it is none. */
export function readNumberKey(source: string): string | undefined {
  const value = readNumber(source)
  if (value === undefined || typeof value === 'bigint') return value?.toString()
  const [, mantissa = '', sign = '', digits = ''] = /^(.*)e([-+])(.*)$/.exec(value.toExponential()) ?? []
  const exponent = Number(sign + digits)
  const isFloat = !/^[-+]?0[xX]/.test(source) && (!Number.isSafeInteger(value) || /[.eE]/.test(source))
  if (isFloat && (exponent < -4 || exponent >= 6)) return `${mantissa}e${sign}${digits.padStart(2, '0')}`
  return Object.is(value, -0) ? '-0' : String(value)
}
