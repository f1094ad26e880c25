import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConfigRejectedError } from '../agent.ts'
import { noSources } from '../test-agents.ts'
import { versionIn } from './describe-process.ts'
import { composeForProcess } from './process-composer.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-compose-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = (name: string, body: string) => ({ name, contentType: 'text/plain', body })

it('takes the body of the one file that is not empty, whatever its name', () => {
  for (const name of ['', 'syslog-ng.conf'])
    expect(composeForProcess('syslog-ng', { ...noSources, remote: [file(name, 'a'), file('empty', ' \n')] }, [])).toMatchObject({
      text: 'a',
      runsNothing: false,
      isLocal: false,
      contentType: 'text/plain',
    })
})

it('refuses several, by their names', () => {
  const several = { ...noSources, remote: [file('a', '1'), file('b', '2')] }
  expect(() => composeForProcess('syslog-ng', several, [])).toThrow(ConfigRejectedError)
  expect(() => composeForProcess('syslog-ng', several, [])).toThrow('syslog-ng reads one configuration file, and 2 were offered: "a", "b"')
})

it('runs nothing when nothing was offered, or only what is empty', () => {
  expect(composeForProcess('x', { ...noSources, remote: [] }, []).runsNothing).toBe(true)
  expect(composeForProcess('x', { ...noSources, remote: [file('a', '')] }, []).runsNothing).toBe(true)
})

it('runs what is on disk while none was ever offered: the original first', async () => {
  const [original, present] = [join(folder, 'original'), join(folder, 'present')]
  expect(composeForProcess('x', noSources, [original, present]).runsNothing).toBe(true)
  await writeFile(present, 'present')
  expect(composeForProcess('x', noSources, [original, present])).toMatchObject({ text: 'present', isLocal: true, runsNothing: false })
  await writeFile(original, 'original')
  expect(composeForProcess('x', noSources, [original, present]).text).toBe('original')
})

it('prefers a fallback to what was offered', () => {
  expect(composeForProcess('x', { ...noSources, remote: [file('a', '1')], fallback: [file('b', '2')] }, []).text).toBe('2')
})

it.each([
  ['syslog-ng 3 (3.38.1)\nConfig version: 3.35', '3.38.1'],
  ['Fluent Bit v2.0.11\nGit commit: 1234', '2.0.11'],
  ['vector 0.40.0 (x86_64-unknown-linux-gnu 1.2.3)', '0.40.0'],
  ['otelcol version 0.149.0-rc.1+abc', '0.149.0-rc.1+abc'],
  ['no version here', undefined],
])('finds the version in %j', (output, version) => {
  expect(versionIn(output)).toBe(version)
})
