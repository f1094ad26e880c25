/** The sum at the end of `npm test`. */
import { describe, expect, it } from 'vitest'
import { addSums, sumReport } from './test.ts'

const report = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, testResults: [] }

describe('sumReport', () => {
  it('adds up what a report counts', () => {
    expect(sumReport(report)).toEqual({ passed: 3, failed: 1, skipped: 3 })
  })

  it('counts a file that could not be loaded as a failure', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ]
    expect(sumReport({ ...report, testResults }).failed).toBe(2)
  })

  it('adds suites', () => {
    expect(addSums({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({ passed: 11, failed: 22, skipped: 33 })
  })
})
