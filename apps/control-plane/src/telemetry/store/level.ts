/**
 * Numbers in 16 bits: 6 bits of exponent and 10 of mantissa, for 0 and from 2^-20 to 2^44. Whole numbers to 2,048 are exact, others within
 * 0.05 %. A larger number has a larger level, so what changes little has small differences, which take little room.
 */

export const ABSENT = 0xffff
const DROPPED_BITS = 13
const HALF = 1 << (DROPPED_BITS - 1)
const LOWEST = 107 << 10
const HIGHEST = ABSENT - 1

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** NaN and negative numbers are absent. */
export function levelOf(value: number): number {
  if (!(value >= 0)) return ABSENT
  if (value === 0) return 0
  float[0] = value
  const level = (((bits[0] ?? 0) + HALF) >>> DROPPED_BITS) - LOWEST
  return Math.min(HIGHEST, Math.max(1, level))
}

/** NaN: absent. */
export function valueOf(level: number): number {
  if (level === ABSENT) return Number.NaN
  if (level === 0) return 0
  bits[0] = (level + LOWEST) << DROPPED_BITS
  return float[0] ?? Number.NaN
}
