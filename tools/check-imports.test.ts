/** The import rules, on made-up files and on the real table. */
import { describe, expect, it } from 'vitest'
import { checkDependencies, checkFiles, findImports } from './check-imports.ts'
import { workspaceRules } from './import-rules.ts'

const check = (path: string, ...specifiers: readonly string[]) =>
  checkFiles([{ path, imports: specifiers.map((specifier) => ({ specifier, line: 1 })) }], workspaceRules)

describe('findImports', () => {
  it('finds static, type-only, dynamic and re-exporting imports with their lines', () => {
    const text = [
      "import a from 'a'",
      "import type { B } from 'b'",
      'import {',
      '  c,',
      "} from 'c'",
      "export * from './d.ts'",
      "import 'e'",
      ['const f = await import', "('f')"].join(''),
    ].join('\n')
    expect(findImports(text)).toEqual([
      { specifier: 'a', line: 1 },
      { specifier: 'b', line: 2 },
      { specifier: 'c', line: 5 },
      { specifier: './d.ts', line: 6 },
      { specifier: 'e', line: 7 },
      { specifier: 'f', line: 8 },
    ])
  })

  it('does not count comments', () => {
    expect(findImports("/** import a from 'a' */\n// import b from 'b'\nexport const c = 1")).toEqual([])
  })
})

describe('checkFiles', () => {
  it('allows what the table allows', () => {
    expect(check('libs/server/src/a.ts', '@drover/protocol', 'node:http', 'ws', './b.ts')).toEqual([])
    expect(check('apps/control-plane/src/demo/a.ts', '@drover/testing', '../http/b.ts')).toEqual([])
  })

  it('refuses other workspaces', () => {
    expect(check('libs/server/src/a.ts', '@drover/fleet')).toEqual(['libs/server/src/a.ts:1: server must not import fleet (may: protocol)'])
    expect(check('apps/control-plane/src/agents/a.ts', '@drover/testing')).toHaveLength(1)
    expect(check('apps/console/src/a.tsx', '@drover/control-plane')).toHaveLength(1)
  })

  it('lets tests use the scripted agents', () => {
    expect(check('libs/server/src/a.test.ts', '@drover/testing')).toEqual([])
  })

  it.each(['protocol', 'agent-config', 'fleet', 'api'])('keeps Node out of %s', (name) => {
    expect(check(`libs/${name}/src/a.ts`, 'node:fs')).toHaveLength(1)
    expect(check(`libs/${name}/src/a.test.ts`, 'node:fs')).toEqual([])
  })

  it('refuses files inside another workspace, by name or by path', () => {
    expect(check('libs/server/src/a.ts', '@drover/protocol/src/frame.ts')).toHaveLength(1)
    expect(check('libs/server/src/a.ts', '../../protocol/src/frame.ts')).toHaveLength(1)
  })

  it('refuses one feature of the control plane in another', () => {
    expect(check('apps/control-plane/src/agents/a.ts', '../groups/b.ts')[0]).toContain('the folder "agents" must not import "groups"')
    expect(check('apps/control-plane/src/agents/a.ts', '../storage/b.ts', '../seams.ts')).toEqual([])
    expect(check('apps/control-plane/src/control-plane.ts', './groups/b.ts')).toEqual([])
    expect(check('apps/control-plane/src/new/a.ts', '../http/b.ts')[0]).toContain('has no rule yet')
  })

  it('finds folders that import each other in a circle', () => {
    const file = (path: string, specifier: string) => ({ path, imports: [{ specifier, line: 1 }] })
    const circle = [file('apps/cli/src/a/x.ts', '../b/y.ts'), file('apps/cli/src/b/y.ts', '../c/z.ts'), file('apps/cli/src/c/z.ts', '../a/x.ts')]
    expect(checkFiles(circle, workspaceRules)).toEqual(['apps/cli/src: the folders import each other in a circle: a -> b -> c -> a'])
    expect(checkFiles(circle.slice(1), workspaceRules)).toEqual([])
  })
})

describe('checkDependencies', () => {
  const source = (path: string, specifier: string) => ({ path, imports: [{ specifier, line: 1 }] })

  it('finds what is imported but not listed, and the other way round', () => {
    const files = [source('libs/x/src/a.ts', '@scope/used/deep'), source('libs/x/src/b.ts', 'unlisted'), source('libs/x/src/c.ts', 'node:fs')]
    expect(checkDependencies('libs/x', { dependencies: { '@scope/used': '1', idle: '1' } }, files)).toEqual([
      'libs/x/src/b.ts:1: "unlisted" is not among the dependencies of libs/x/package.json',
      'libs/x/package.json: "idle" is listed but nothing imports it',
    ])
  })

  it('lets only tests use development dependencies', () => {
    const manifest = { devDependencies: { 'fast-check': '1' } }
    expect(checkDependencies('libs/x', manifest, [source('libs/x/src/a.test.ts', 'fast-check')])).toEqual([])
    expect(checkDependencies('libs/x', manifest, [source('libs/x/src/a.ts', 'fast-check')])).toHaveLength(1)
  })
})
