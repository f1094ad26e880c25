/** The tests behind comparisons: is a wave worse than its control group, or than its own past, or is that chance? */

/** Work of the exact test, in steps; beyond, the normal approximation is good enough. */
const maxExactSteps = 250_000

/**
 * Wilcoxon-Mann-Whitney, one-sided: the chance to see ranks of `wave` as high as these, or higher, if wave and control
 * differed by chance alone. Exact, given the ties, for small samples: the distribution of the rank sum over all ways to
 * choose the wave; otherwise the normal approximation with corrections for ties and continuity. Values must be finite.
 */
export function rankSumP(wave: readonly number[], control: readonly number[]): number {
  const [n, m] = [wave.length, control.length]
  if (n === 0 || m === 0) return 1
  const { doubledRanks, tieSum } = rank([...wave, ...control])
  const observed = doubledRanks.slice(0, n).reduce((sum, value) => sum + value, 0)
  const largest = n * 2 * (n + m)
  return (n + m) * n * largest <= maxExactSteps ? exactTail(doubledRanks, n, observed) : normalTail(n, m, observed / 2, tieSum)
}

/** Ranks from 1, ties share their mean; doubled, so that they are whole. */
function rank(values: readonly number[]): { readonly doubledRanks: readonly number[]; readonly tieSum: number } {
  const order = values.map((value, index) => ({ value, index })).toSorted((a, b) => a.value - b.value)
  const doubledRanks = values.map(() => 0)
  let tieSum = 0
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end + 1 < order.length && order[end + 1]?.value === order[start]?.value) end++
    const count = end - start + 1
    for (let at = start; at <= end; at++) doubledRanks[order[at]?.index ?? 0] = start + end + 2
    tieSum += count ** 3 - count
    start = end + 1
  }
  return { doubledRanks, tieSum }
}

/** Share of the subsets of size `n` whose ranks sum up to `observed` or more. */
function exactTail(doubledRanks: readonly number[], n: number, observed: number): number {
  const largest = doubledRanks
    .toSorted((a, b) => b - a)
    .slice(0, n)
    .reduce((sum, value) => sum + value, 0)
  // ways[k][s]: subsets of k of the ranks seen so far with sum s, as shares of all subsets to stay within numbers.
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(largest + 1))
  const none = ways[0]
  if (none !== undefined) none[0] = 1
  for (const value of doubledRanks)
    for (let size = n; size >= 1; size--) {
      const [to, from] = [ways[size], ways[size - 1]]
      if (to === undefined || from === undefined) continue
      for (let sum = largest; sum >= value; sum--) to[sum] = (to[sum] ?? 0) + (from[sum - value] ?? 0)
    }
  const counts = ways[n] ?? new Float64Array()
  let [all, tail] = [0, 0]
  counts.forEach((count, sum) => {
    all += count
    if (sum >= observed) tail += count
  })
  return tail / all
}

function normalTail(n: number, m: number, rankSum: number, tieSum: number): number {
  const total = n + m
  const mean = (n * (total + 1)) / 2
  const variance = ((n * m) / 12) * (total + 1 - tieSum / (total * (total - 1)))
  return variance <= 0 ? 1 : upperNormal((rankSum - mean - 0.5) / Math.sqrt(variance))
}

/** P(Z > z). Abramowitz and Stegun 26.2.17 is off by 7.5e-8 at most; z below 6 suffices here. */
function upperNormal(z: number): number {
  if (z < 0) return 1 - upperNormal(-z)
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}

/** Sign test, one-sided: the chance that so many or more of the Agents whose value changed got worse, if better and worse were equally likely. */
export function signP(worse: number, better: number): number {
  const total = worse + better
  let [term, tail] = [0.5 ** total, 0]
  for (let count = 0; count <= total; count++) {
    if (count >= worse) tail += term
    term = (term * (total - count)) / (count + 1)
  }
  return total > 1000 ? upperNormal((worse - total / 2 - 0.5) / (Math.sqrt(total) / 2)) : Math.min(1, tail)
}

/** Fisher's exact test, one-sided: the chance of so many or more bad ones in the wave, given how many there are in both. */
export function fisherP(wave: { readonly bad: number; readonly of: number }, control: { readonly bad: number; readonly of: number }): number {
  const [bad, total] = [wave.bad + control.bad, wave.of + control.of]
  const logAll = logChoose(total, wave.of)
  let tail = 0
  for (let count = wave.bad; count <= Math.min(bad, wave.of); count++)
    if (wave.of - count <= total - bad) tail += Math.exp(logChoose(bad, count) + logChoose(total - bad, wave.of - count) - logAll)
  return Math.min(1, tail)
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

const logFactorials: number[] = [0, 0]

function logFactorial(n: number): number {
  for (let next = logFactorials.length; next <= n; next++) logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next))
  return logFactorials[n] ?? 0
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}
