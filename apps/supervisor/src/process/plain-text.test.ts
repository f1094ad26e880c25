import { describe, expect, it } from 'vitest'
import { failureText, plainText, reportText } from './plain-text.ts'

describe('plainText', () => {
  it('takes out colours, titles, links, and marks that turn text around', () => {
    expect(
      plainText('\u001b[1;31mError\u001b[0m: \u001b]0;title\u0007no\u001b(B \u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u202ego\r\n\ttab\u0000'),
    ).toBe('Error: no linkgo\n\ttab')
  })

  it('takes linear time for text that is nothing but starts of sequences', () => {
    // Time that grows with the square would be an hour.
    for (const start of ['\u001b[', '\u001b]']) expect(plainText(start.repeat(1_000_000))).not.toContain('\u001b')
  })
})

describe('reportText', () => {
  it('keeps the end, from the start of a line, without secrets', () => {
    const text = `${'x'.repeat(50)}\nfirst line\npassword: hunter2hunter2\nlast line\n`
    expect(reportText(text, 40)).toBe('password: [REDACTED]\nlast line')
  })

  it('removes a secret before it cuts, so that half of it is not left', () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQ\n'.repeat(20)}-----END PRIVATE KEY-----\nbye`
    expect(reportText(pem, 200)).toBe('[REDACTED]\nbye')
  })

  it('cuts a line that is longer than all that may be said', () => {
    expect(reportText('ab'.repeat(100), 10)).toBe('ababababab')
  })
})

describe('failureText', () => {
  it('is what a Collector says after its usual output, in one line', () => {
    const said = `2026-11-21T10:00:00Z\tinfo\tservice\tStarting otelcol...
Error: failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s):

'receivers' unknown type: "foo" for id: "foo" (valid values: [nop otlp])
'exporters' unknown type: "bar" for id: "bar"
`
    expect(failureText(said, 1000)).toBe(
      'failed to get config: cannot unmarshal the configuration: decoding failed due to the following error(s): \'receivers\' unknown type: "foo" for id: "foo" (valid values: [nop otlp]); \'exporters\' unknown type: "bar" for id: "bar"',
    )
  })

  it('leaves out what each thread was doing when it panicked', () => {
    expect(failureText('starting\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n', 1000)).toBe('panic: boom')
    expect(failureText('fatal error: runtime: out of memory\n\nruntime stack:\nruntime.throw()\n', 1000)).toBe('fatal error: runtime: out of memory')
    expect(failureText('SIGSEGV: segmentation violation\nPC=0x48 m=0 sigcode=0\n\ngoroutine 0\n', 1000)).toBe('SIGSEGV: segmentation violation')
  })

  it('is the last line where no line means an error, and nothing where there is none', () => {
    expect(failureText('one\ntwo\n\n', 1000)).toBe('two')
    expect(failureText('\n', 1000)).toBe('')
  })

  it('is cut to its limit, and has no secrets', () => {
    expect(failureText(`Error: ${'x '.repeat(600)}`, 100)).toHaveLength(100)
    expect(failureText('Error: cannot reach https://user:secret@host/path', 1000)).toBe('cannot reach https://[REDACTED]@host/path')
  })
})
