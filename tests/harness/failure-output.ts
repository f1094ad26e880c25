/** The output of the programs of a failed test belongs into its message. */
import { afterEach } from 'vitest'
import { takeRecentOutput } from './child.ts'

afterEach(({ task }) => {
  const output = takeRecentOutput()
  const error = task.result?.state === 'fail' ? task.result.errors?.[0] : undefined
  if (error === undefined) return
  error.message += `\n${output}`
  error.stack = `${error.stack ?? ''}\n${output}`
})
