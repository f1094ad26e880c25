/** The frame of every signed-in page: header, navigation, connection banner, main region. */
import { AppShell, Burger, Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouteContext, useRouter, useRouterState } from '@tanstack/react-router'
import { useCallback, useEffect } from 'react'
import { LiveProvider } from '../api/live.tsx'
import { AddAgentProvider, useAddAgent } from '../pages/add-agent/AddAgentProvider.tsx'
import { LiveBanner, LiveMark } from './LiveBanner.tsx'
import { Navigation } from './Navigation.tsx'
import { UserMenu } from './UserMenu.tsx'

export function Shell() {
  const { liveAfter } = useRouteContext({ from: '/shell' })
  const client = useQueryClient()
  const navigate = useNavigate()
  const onEnded = useCallback(() => {
    client.clear()
    void navigate({ to: '/sign-in', search: { ended: 'true', next: window.location.pathname + window.location.search } })
  }, [client, navigate])
  return (
    <LiveProvider after={liveAfter} onEnded={onEnded}>
      <AddAgentProvider>
        <Frame />
      </AddAgentProvider>
    </LiveProvider>
  )
}

function Frame() {
  const [opened, { toggle, close }] = useDisclosure(false)
  usePagesAhead()
  const pathname = useRouterState({ select: (state) => state.location.pathname })
  useEffect(close, [pathname, close])
  return (
    <>
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <AppShell header={{ height: 46 }} navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened } }} transitionDuration={0}>
        <AppShell.Header>
          <div className="shell-header">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
              aria-expanded={opened}
            />
            <Link to="/" className="shell-brand">
              <img src="/drover.svg" width={22} height={22} alt="" /> Drover
            </Link>
            <div style={{ marginLeft: 'auto' }} />
            <LiveMark />
            <AddAgentButton />
            <UserMenu />
          </div>
        </AppShell.Header>
        <AppShell.Navbar className="shell-nav" aria-label="Main">
          <Navigation />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1}>
          <LiveBanner />
          <div className="shell-main">
            <Outlet />
          </div>
        </AppShell.Main>
      </AppShell>
    </>
  )
}

const IDLE_MS = 1_500

/** Loads the other pages' code once the first page is there: they open at once, and also while the server is away. */
function usePagesAhead(): void {
  const router = useRouter()
  useEffect(() => {
    const timer = setTimeout(() => {
      // What cannot be loaded now is loaded, and its failure shown, when the page is opened.
      for (const route of Object.values(router.routesById)) void Promise.resolve(router.loadRouteChunk(route)).catch(() => undefined)
    }, IDLE_MS)
    return () => clearTimeout(timer)
  }, [router])
}

function AddAgentButton() {
  const addAgent = useAddAgent()
  return (
    <Button size="compact-sm" leftSection={<IconPlus size={14} aria-hidden />} onClick={addAgent}>
      Add agent
    </Button>
  )
}
