/** Pages for an address that does not exist and for a page that could not be shown. */
import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router'
import { ErrorState } from '../ui/ErrorState.tsx'

export function NotFoundPage() {
  return (
    <main className="empty" style={{ paddingTop: '18vh' }}>
      <IconMapOff size={28} stroke={1.4} aria-hidden />
      <h1>There is no such page</h1>
      <p>The address may be mistyped, or what it showed was deleted.</p>
      <Link to="/">Go to the fleet overview</Link>
    </main>
  )
}

export function RouteErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const retry = () => {
    reset()
    void router.invalidate()
  }
  return (
    <div style={{ maxWidth: 640, margin: '12vh auto 0', padding: 16 }} className="stack">
      <h1>This page could not be shown</h1>
      <ErrorState error={error} />
      <div>
        <Button onClick={retry}>Try again</Button>
      </div>
    </div>
  )
}
