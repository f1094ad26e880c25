/** The editor parts, loaded when a page first needs them: CodeMirror is the largest thing the console has. */
import { Suspense, lazy } from 'react'
import { LoadingRows } from '../Loading.tsx'
import type { DiffSide } from './DiffView.tsx'

const LoadedEditor = lazy(async () => ({ default: (await import('./YamlEditor.tsx')).YamlEditor }))
const LoadedDiff = lazy(async () => ({ default: (await import('./DiffView.tsx')).DiffView }))

export function ReadOnlyYaml({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <Suspense fallback={<LoadingRows />}>
      <LoadedEditor label={label} value={text} />
    </Suspense>
  )
}

export function Diff(props: { readonly before: DiffSide; readonly after: DiffSide }) {
  return (
    <Suspense fallback={<LoadingRows />}>
      <LoadedDiff {...props} />
    </Suspense>
  )
}
