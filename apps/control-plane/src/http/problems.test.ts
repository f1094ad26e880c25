/** The table from errors to answers, where no route leads to the error by itself. */
import { describe, expect, it } from 'vitest'
import { toProblem } from './problems.ts'

describe('toProblem', () => {
  it('says that the database is damaged, not that something went wrong', () => {
    const { problem } = toProblem(Object.assign(new Error('database disk image is malformed'), { errcode: 11 }), 'r')
    expect(problem).toMatchObject({ status: 500, code: 'stored-data-damaged', detail: expect.stringContaining('restore a backup') })
  })

  it('answers what the HTTP layer refuses with its own status, and in our words', () => {
    const { problem } = toProblem(Object.assign(new Error('inside knowledge'), { code: 'FST_ERR_NEW', statusCode: 417 }), 'r')
    expect(problem).toMatchObject({ status: 417, code: 'bad-request', detail: 'the request is refused: Expectation Failed' })
  })
})
