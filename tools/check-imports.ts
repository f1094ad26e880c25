/** Checks every import of the repository against import-rules.ts, and each workspace's dependencies against what it imports. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { isMain, repositoryRoot } from './repository.ts'
import { sharedPackages, testImports, workspaceRules } from './import-rules.ts'
import type { WorkspaceRule } from './import-rules.ts'

/** One `import` or `export … from`, static or dynamic. */
export interface ImportLine {
  readonly specifier: string
  readonly line: number
}

/** One source file, as far as the rules look at it. */
export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string
  readonly imports: readonly ImportLine[]
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const importPattern = /(?:^|\n|;)[ \t]*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*(['"])([^'"\n]+)\1|\bimport\(\s*(['"])([^'"\n]+)\3/g

/** The imports of a file's text. Comments are blanked first, so that an example in a comment does not count. */
export function findImports(text: string): readonly ImportLine[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' ')).replaceAll(/^\s*\/\/.*$/gm, '')
  return [...code.matchAll(importPattern)].map((match) => ({
    specifier: match[2] ?? match[4] ?? '',
    line: code.slice(0, match.index + match[0].length).split('\n').length,
  }))
}

/** Everything that breaks a rule, as `file:line: sentence`. */
export function checkFiles(files: readonly SourceFile[], rules: Readonly<Record<string, WorkspaceRule>>): readonly string[] {
  const findings = files.flatMap((file) => {
    const found = Object.entries(rules).find(([, rule]) => file.path.startsWith(`${rule.folder}/`))
    if (found === undefined) return []
    const [name, rule] = found
    return file.imports.flatMap((line) => {
      const complaint = checkImport(file.path, line.specifier, name, rule)
      return complaint === undefined ? [] : [`${file.path}:${line.line}: ${complaint}`]
    })
  })
  return [...findings, ...folderCircles(files, rules)]
}

/** Tests, and what only tests use (`test-….ts`). */
const isTest = (path: string) => /\.test\.tsx?$|\/test\/|\/test-[^/]*\.tsx?$|\.bench\.ts$/.test(path)

function checkImport(path: string, specifier: string, name: string, rule: WorkspaceRule): string | undefined {
  if (specifier.startsWith('.')) return checkRelative(path, specifier, rule)
  if (specifier.startsWith('node:'))
    return rule.pure && path.startsWith(`${rule.folder}/src/`) && !isTest(path) ? `${name} uses nothing from Node, not "${specifier}"` : undefined
  if (!specifier.startsWith('@drover/')) return undefined
  const [, target = '', ...rest] = specifier.split('/')
  if (rest.length > 0) return `import "@drover/${target}" and not a file inside it`
  const allowed = [...rule.imports, ...(rule.extra?.[folderOf(path, rule) ?? ''] ?? []), ...(isTest(path) ? [...testImports, ...(rule.inTests ?? [])] : [])]
  return allowed.includes(target) ? undefined : `${name} must not import ${target} (may: ${rule.imports.join(', ') || 'no other workspace'})`
}

function checkRelative(path: string, specifier: string, rule: WorkspaceRule): string | undefined {
  const target = join(dirname(path), specifier)
  if (!target.startsWith(`${rule.folder}/`)) return `"${specifier}" leaves the workspace; import the workspace by its name`
  if (rule.folders === undefined || isTest(path)) return undefined
  const [from, to] = [folderOf(path, rule), folderOf(target, rule)]
  if (from === undefined || to === undefined || from === to) return undefined
  const allowed = rule.folders[from]
  if (allowed === undefined) return `the folder "${from}" has no rule yet: add it to tools/import-rules.ts`
  return allowed.includes(to) ? undefined : `the folder "${from}" must not import "${to}" (may: ${allowed.join(', ') || 'no other folder'})`
}

/** The first folder below `src`; undefined for files directly in `src` and outside of it. */
function folderOf(path: string, rule: WorkspaceRule): string | undefined {
  const [source, folder, ...rest] = relative(rule.folder, path).split('/')
  return source === 'src' && rest.length > 0 ? folder : undefined
}

/** Folders of one workspace that import each other, directly or around. */
function folderCircles(files: readonly SourceFile[], rules: Readonly<Record<string, WorkspaceRule>>): readonly string[] {
  return Object.values(rules).flatMap((rule) => {
    const graph = new Map<string, Set<string>>()
    for (const file of files.filter(({ path }) => path.startsWith(`${rule.folder}/`) && !isTest(path))) {
      const from = folderOf(file.path, rule)
      for (const { specifier } of file.imports.filter((line) => line.specifier.startsWith('.'))) {
        const to = folderOf(join(dirname(file.path), specifier), rule)
        if (from !== undefined && to !== undefined && from !== to) graph.set(from, (graph.get(from) ?? new Set()).add(to))
      }
    }
    const circle = findCircle(graph)
    return circle === undefined ? [] : [`${rule.folder}/src: the folders import each other in a circle: ${circle.join(' -> ')}`]
  })
}

function findCircle(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...path, node])
      if (circle !== undefined) return circle
    }
    done.add(node)
    return undefined
  }
  for (const node of graph.keys()) {
    const circle = visit(node, [])
    if (circle !== undefined) return circle
  }
  return undefined
}

/** Imported but not listed, and listed but not imported. */
export function checkDependencies(folder: string, manifest: Manifest, files: readonly SourceFile[]): readonly string[] {
  const dependencies = Object.keys(manifest.dependencies ?? {})
  const development = Object.keys(manifest.devDependencies ?? {})
  const used = new Map<string, string>()
  const findings: string[] = []
  for (const file of files) {
    for (const { specifier, line } of file.imports) {
      const name = packageName(specifier)
      if (name === undefined || sharedPackages.includes(name)) continue
      used.set(name, file.path)
      const listed = dependencies.includes(name) || ((isTest(file.path) || !file.path.startsWith(`${folder}/src/`)) && development.includes(name))
      if (!listed) findings.push(`${file.path}:${line}: "${name}" is not among the dependencies of ${folder}/package.json`)
    }
  }
  for (const name of dependencies) if (!used.has(name)) findings.push(`${folder}/package.json: "${name}" is listed but nothing imports it`)
  return findings
}

/** undefined for relative files, Node's modules and virtual ones. */
function packageName(specifier: string): string | undefined {
  if (/^(\.|\/|node:|virtual:|data:)/.test(specifier)) return undefined
  const [scope = '', name = ''] = specifier.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

function readSources(root: string, folder: string): readonly SourceFile[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|js)$/.test(entry.name))
    .map((entry) => relative(root, resolve(entry.parentPath, entry.name)))
    .filter((path) => !/(^|\/)(node_modules|dist|\.cache)\//.test(path))
    .map((path) => ({ path, imports: findImports(readFileSync(join(root, path), 'utf8')) }))
}

function main(): void {
  const byWorkspace = Object.values(workspaceRules).map((rule) => ({ rule, files: readSources(repositoryRoot, rule.folder) }))
  const findings = [
    ...checkFiles(
      byWorkspace.flatMap(({ files }) => files),
      workspaceRules,
    ),
  ]
  for (const { rule, files } of byWorkspace) {
    const manifest = JSON.parse(readFileSync(join(repositoryRoot, rule.folder, 'package.json'), 'utf8')) as Manifest
    findings.push(...checkDependencies(rule.folder, manifest, files))
  }
  for (const finding of findings) process.stdout.write(`${finding}\n`)
  process.exitCode = findings.length > 0 ? 1 : 0
}

if (isMain(import.meta.url)) main()
