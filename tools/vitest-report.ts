/** What a suite's JSON report of vitest says: how many tests passed, and which did not, each on a line of its own. */

export interface Sum {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The part of vitest's JSON report that is read. */
export interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly TestFile[]
}

interface TestFile {
  /** Its whole path. */
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[]
}

export const noTests: Sum = { passed: 0, failed: 0, skipped: 0 }

export const addSums = (a: Sum, b: Sum): Sum => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped })

/** A file that could not be loaded has no tests and still is a failure. */
const isBroken = ({ status, assertionResults }: TestFile): boolean => status === 'failed' && assertionResults.every((test) => test.status !== 'failed')

export function sumReport(report: Report): Sum {
  const broken = report.testResults.filter(isBroken).length
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken, skipped: report.numPendingTests + report.numTodoTests }
}

/** A line for each failure, `file > test: what was wrong`; paths are relative to `root`. Long output above it need not be searched. */
export function listFailures(report: Report, root: string): readonly string[] {
  return report.testResults.flatMap((file) => {
    const path = file.name.startsWith(`${root}/`) ? file.name.slice(root.length + 1) : file.name
    if (isBroken(file)) return [`${path}: ${firstLine(file.message)}`]
    return file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${path} > ${fullName}: ${firstLine(failureMessages[0] ?? '')}`)
  })
}

function firstLine(message: string): string {
  return message.trim().split('\n', 1)[0]?.slice(0, 300) ?? ''
}
