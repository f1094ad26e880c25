/** The end of `npm test`: what failed, and the sum. */
import { describe, expect, it } from 'vitest'
import { addSums, listFailures, sumReport } from './vitest-report.ts'

const test = (status: string, failureMessages: readonly string[] = []) => ({ status, fullName: 'a lamp shines', failureMessages })
const testResults = [
  { name: '/repo/libs/a.test.ts', status: 'failed', message: '', assertionResults: [test('failed', ['Error: dark\n    at a.ts:1']), test('passed')] },
  { name: '/repo/libs/b.test.ts', status: 'failed', message: 'SyntaxError: no lamp\n    at b.ts:1', assertionResults: [] },
  { name: '/repo/libs/c.test.ts', status: 'passed', message: '', assertionResults: [test('passed')] },
]
const report = { numPassedTests: 2, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, testResults }

describe('sumReport', () => {
  it('adds up what a report counts, and a file that could not be loaded as a failure', () => {
    expect(sumReport(report)).toEqual({ passed: 2, failed: 2, skipped: 3 })
  })
})

describe('listFailures', () => {
  it('names each test that failed, and each file that could not be loaded, with the first line of the reason', () => {
    expect(listFailures(report, '/repo')).toEqual(['libs/a.test.ts > a lamp shines: Error: dark', 'libs/b.test.ts: SyntaxError: no lamp'])
  })
})

describe('addSums', () => {
  it('adds suites', () => {
    expect(addSums({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({ passed: 11, failed: 22, skipped: 33 })
  })
})
