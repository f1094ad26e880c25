/** Charts, loaded when a page first needs one. */
import { Suspense, lazy } from 'react'
import { LoadingRows } from '../Loading.tsx'
import type { TimeChartProps } from './TimeChart.tsx'

const Loaded = lazy(async () => ({ default: (await import('./TimeChart.tsx')).TimeChart }))

export function TimeChart(props: TimeChartProps) {
  return (
    <Suspense fallback={<LoadingRows rows={5} height={24} />}>
      <Loaded {...props} />
    </Suspense>
  )
}
