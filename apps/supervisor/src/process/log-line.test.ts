import { describe, expect, it } from 'vitest'
import { readableLine } from './log-line.ts'

describe('readableLine', () => {
  it('tells a JSON log record as a person reads it, without what every line says again', () => {
    const line =
      '{"level":"error","ts":"2026-11-21T10:47:30.364Z","caller":"graph/graph.go:439","msg":"Failed to start component","resource":{"host.arch":"amd64"},"error":"listen tcp: bind: in use","type":"Receiver","id":"otlp","n":2}'
    expect(readableLine(line)).toBe('2026-11-21T10:47:30.364Z error Failed to start component error="listen tcp: bind: in use" type=Receiver id=otlp n=2')
  })

  it.each(['Error: no such thing', '{"level":"info"}', '{not json', '[1]', '', '{"msg":{"a":1}}'])('leaves any other line alone: %s', (line) => {
    expect(readableLine(line)).toBe(line)
  })
})
