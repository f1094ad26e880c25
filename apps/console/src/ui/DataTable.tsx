/** A plain table that scrolls sideways inside itself when the window is narrow. */
import type { ReactNode } from 'react'

export function DataTable({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable, so that the arrow keys can scroll it
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      <table className="data-table">{children}</table>
    </section>
  )
}
