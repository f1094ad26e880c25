/** Placeholders in the shape of what is coming; read out once as "Loading". */
import { Skeleton, VisuallyHidden } from '@mantine/core'

export function LoadingRows({ rows = 6, height = 18 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <output style={{ display: 'grid', gap: 10, padding: 14 }}>
      <VisuallyHidden>Loading…</VisuallyHidden>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={height} width={`${96 - ((index * 17) % 40)}%`} radius="sm" />
      ))}
    </output>
  )
}

export function LoadingPage() {
  return (
    <div className="stack">
      <Skeleton height={26} width={220} radius="sm" />
      <div className="panel">
        <LoadingRows rows={8} />
      </div>
    </div>
  )
}
