/** What a shell is offered at a tab. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { runTestCli } from '../test-io.ts'
import { complete } from './completion.ts'
import { loadRoot } from './index.ts'

const names = (kind: string) => Promise.resolve([`${kind}-1`, `${kind}-2`])
const completeWords = async (...words: readonly string[]) => complete(await loadRoot(words), words, names)

describe('complete', () => {
  it('offers commands, but not hidden ones', async () => {
    expect(await completeWords('')).toEqual([
      'server',
      'supervisor',
      'status',
      'agents',
      'configs',
      'groups',
      'rollouts',
      'apply',
      'templates',
      'secrets',
      'webhooks',
      'tokens',
      'events',
      'console',
      'completion',
    ])
    expect(await completeWords('co')).toEqual(['configs', 'console', 'completion'])
    expect(await completeWords('agents', 'l')).toEqual(['list', 'logs', 'label'])
  })

  it('offers options, those of the server included', async () => {
    expect(await completeWords('agents', 'list', '--s')).toEqual(['--state', '--search', '--sort'])
    expect(await completeWords('server', '--ag')).toContain('--agents-listen')
  })

  it('offers values of options and arguments', async () => {
    expect(await completeWords('agents', 'list', '-o', '')).toEqual(['table', 'json', 'yaml'])
    expect(await completeWords('agents', 'list', '--state', 'un')).toEqual(['unhealthy', 'unmanaged'])
    expect(await completeWords('agents', 'show', '')).toEqual(['agent-1', 'agent-2'])
    expect(await completeWords('agents', 'show', '-o', 'json', '')).toEqual(['agent-1', 'agent-2'])
    expect(await completeWords('agents', 'show', 'agent-1', '')).toEqual([])
    expect(await completeWords('agents', 'retry', 'agent-1', '')).toEqual(['agent-1', 'agent-2'])
    expect(await completeWords('groups', 'create', 'g', '--config', '')).toEqual(['config-1', 'config-2'])
    expect(await completeWords('configs', 'update', 'c', '--file', 'ga')).toEqual([':files'])
    expect(await completeWords('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  })

  it('offers the commands of a group that does something itself, and what it takes', async () => {
    expect(await completeWords('supervisor', '')).toEqual(['check', 'status'])
    expect(await completeWords('supervisor', '--')).toEqual(['--config', '--help'])
    expect(await completeWords('supervisor', '--config', '')).toEqual([':files'])
    expect(await completeWords('supervisor', '--config', 'f.yaml', '')).toEqual([])
    expect(await completeWords('supervisor', 'status', '--st')).toEqual(['--storage'])
  })

  it('offers nothing behind what it does not know', async () => {
    expect(await completeWords('nonsense', 'x')).toEqual([])
    expect(await completeWords('status', 'x', '')).toEqual([])
  })
})

describe('drover completion', () => {
  it('prints a script that bash can read, and that completes', async () => {
    const { stdout, code } = await runTestCli(['completion', 'bash'])
    expect(code).toBe(0)
    const fake = `drover() { shift 2; printf '%s\\n' "last:\${@: -1}" "count:$#"; }`
    const ask = 'COMP_WORDS=(drover agents li); COMP_CWORD=2; _drover; printf "%s\\n" "${COMPREPLY[@]}"'
    expect(execFileSync('bash', ['-c', `${stdout}\n${fake}\n${ask}`], { encoding: 'utf8' })).toBe('last:li\ncount:2\n')
  })

  it('answers the script through the hidden command', async () => {
    expect((await runTestCli(['__complete', '--', 'agents', 'li'])).stdout).toBe('list\n')
    expect((await runTestCli(['__complete', '--', 'groups', 'set', ''], { env: { DROVER_URL: 'http://127.0.0.1:9' } })).stdout).toBe('')
  })

  it('knows three shells', async () => {
    expect((await runTestCli(['completion', 'zsh'])).stdout).toContain('#compdef drover')
    expect((await runTestCli(['completion', 'fish'])).stdout).toContain('complete -c drover')
    expect(await runTestCli(['completion', 'tcsh'])).toMatchObject({ code: 2, stderr: 'drover: "tcsh" is none of bash, zsh, fish\n' })
  })
})
