/** Large values that show whether they are whole, and which one they are. */

/** 100 to 356 KiB, by number. */
export function numberedValue(number: number): Uint8Array {
  return new TextEncoder().encode(`${number}\n`.repeat(Math.ceil((100_000 + (number % 256) * 1024) / `${number}\n`.length)))
}

/** The number of a value; `undefined` when it is not exactly one value. */
export function numberOf(value: Uint8Array): number | undefined {
  const number = Number(new TextDecoder().decode(value.subarray(0, value.indexOf(10))))
  const expected = numberedValue(number)
  return value.length === expected.length && Buffer.compare(value, expected) === 0 ? number : undefined
}
