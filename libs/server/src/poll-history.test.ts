import { describe, expect, it } from 'vitest'
import { newPollHistory, notePoll, type PollHistory } from './poll-history.ts'

/** Feeds sequence numbers, 30 s apart. Returns which of them are an intruder's, and the history. */
function feed(numbers: readonly number[], stepMs = 30_000): { intruders: number[]; history: PollHistory } {
  let history = newPollHistory
  const intruders: number[] = []
  numbers.forEach((number, index) => {
    const noted = notePoll(history, BigInt(number), index * stepMs)
    history = noted.history
    if (noted.isIntruder) intruders.push(index)
  })
  return { intruders, history }
}

describe('the polls of one uid', () => {
  it('show a second agent by interleaved sequence numbers [UID-13]', () => {
    // 10, 11 and 12 are one agent; 3, 4 and 5 another that came later. It is found out at its second message after the first one spoke again.
    expect(feed([10, 3, 11, 4]).intruders).toEqual([3])
    expect(feed([10, 11, 3, 4, 12, 5]).intruders).toEqual([5])
  })

  it('show one agent that starts anew, repeats itself or loses a report', () => {
    expect(feed([5, 6, 0, 1, 2, 3, 4, 5, 6, 7]).intruders).toEqual([])
    expect(feed([0, 0, 1, 1, 2]).intruders).toEqual([])
    expect(feed([0, 1, 4, 5, 9, 10]).intruders).toEqual([])
    expect(feed([1, 0, 1, 0, 1, 2]).intruders).toEqual([])
  })

  it('tell how often the agent comes, without taking one outage for a habit', () => {
    expect(feed([1, 2, 3], 300_000).history.intervalMs).toBe(300_000)
    const regular = feed([1, 2, 3]).history
    const afterOutage = notePoll(regular, 4n, 2_000_000).history
    expect(afterOutage.intervalMs).toBe(30_000)
  })
})
