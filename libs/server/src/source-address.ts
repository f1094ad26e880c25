/** Addresses grouped by who plausibly owns them together: an IPv4 /24, an IPv6 /64. */

export function sourceOf(address: string): string {
  const mapped = address.toLowerCase().startsWith('::ffff:') ? address.slice(7) : address
  if (mapped.includes('.')) return mapped.split('.').slice(0, 3).join('.')
  return expand(mapped).slice(0, 4).join(':')
}

/** The eight groups of an IPv6 address, those that `::` stands for written out. */
function expand(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Math.max(0, 8 - before.length - after.length)
  return tail === undefined ? before : [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
}
