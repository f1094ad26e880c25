/** Every page of the console and its address. Pages load when they are first opened. */
import type { QueryClient } from '@tanstack/react-query'
import { Outlet, createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { isSignedOut } from '../api/client.ts'
import { sessionQuery, statusQuery } from '../api/queries.ts'
import { parseAgentSearch } from '../pages/agents/agent-search.ts'
import { SignInPage } from '../pages/sign-in/SignInPage.tsx'
import { LoadingPage } from '../ui/Loading.tsx'
import { NotFoundPage, RouteErrorPage } from './FailurePages.tsx'
import { Shell } from './Shell.tsx'
import { parseSearch, pickTexts, stringifySearch } from './search-codec.ts'

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Outlet, notFoundComponent: NotFoundPage })

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search) => pickTexts(search, ['code', 'ended', 'next']),
  component: SignInPage,
})

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.ensureQueryData(sessionQuery)
    } catch (error) {
      if (!isSignedOut(error)) throw error
      throw redirect({ to: '/sign-in', search: location.pathname === '/' ? {} : { next: location.href } })
    }
    // Read before any page is: events after its `lastEventId` are followed, so nothing falls between.
    const status = await context.queryClient.ensureQueryData(statusQuery)
    return { liveAfter: status.lastEventId }
  },
  component: Shell,
  errorComponent: RouteErrorPage,
  pendingComponent: LoadingPage,
})

const page = () => shell
const routeTree = root.addChildren([
  signIn,
  shell.addChildren([
    createRoute({ getParentRoute: page, path: '/', component: lazyRouteComponent(() => import('../pages/overview/OverviewPage.tsx'), 'OverviewPage') }),
    createRoute({
      getParentRoute: page,
      path: '/agents',
      validateSearch: parseAgentSearch,
      component: lazyRouteComponent(() => import('../pages/agents/AgentsPage.tsx'), 'AgentsPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/agents/$agentId',
      validateSearch: (search) => pickTexts(search, ['tab', 'range']),
      component: lazyRouteComponent(() => import('../pages/agent/AgentPage.tsx'), 'AgentPage'),
    }),
    createRoute({ getParentRoute: page, path: '/configs', component: lazyRouteComponent(() => import('../pages/configs/ConfigsPage.tsx'), 'ConfigsPage') }),
    createRoute({
      getParentRoute: page,
      path: '/create/config',
      validateSearch: (search) => pickTexts(search, ['template', 'draft']),
      component: lazyRouteComponent(() => import('../pages/configs/CreateConfigPage.tsx'), 'CreateConfigPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/configs/$name',
      validateSearch: (search) => pickTexts(search, ['version', 'tab', 'from']),
      component: lazyRouteComponent(() => import('../pages/configs/ConfigPage.tsx'), 'ConfigPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/configs/$name/edit',
      validateSearch: (search) => pickTexts(search, ['version']),
      component: lazyRouteComponent(() => import('../pages/configs/EditConfigPage.tsx'), 'EditConfigPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/templates',
      component: lazyRouteComponent(() => import('../pages/templates/TemplatesPage.tsx'), 'TemplatesPage'),
    }),
    createRoute({ getParentRoute: page, path: '/secrets', component: lazyRouteComponent(() => import('../pages/secrets/SecretsPage.tsx'), 'SecretsPage') }),
    createRoute({
      getParentRoute: page,
      path: '/webhooks',
      component: lazyRouteComponent(() => import('../pages/webhooks/WebhooksPage.tsx'), 'WebhooksPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/webhooks/$name',
      component: lazyRouteComponent(() => import('../pages/webhooks/WebhookPage.tsx'), 'WebhookPage'),
    }),
    createRoute({ getParentRoute: page, path: '/groups', component: lazyRouteComponent(() => import('../pages/groups/GroupsPage.tsx'), 'GroupsPage') }),
    createRoute({
      getParentRoute: page,
      path: '/create/group',
      validateSearch: (search) => pickTexts(search, ['config', 'selector']),
      component: lazyRouteComponent(() => import('../pages/groups/CreateGroupPage.tsx'), 'CreateGroupPage'),
    }),
    createRoute({ getParentRoute: page, path: '/groups/$name', component: lazyRouteComponent(() => import('../pages/groups/GroupPage.tsx'), 'GroupPage') }),
    createRoute({
      getParentRoute: page,
      path: '/groups/$name/edit',
      component: lazyRouteComponent(() => import('../pages/groups/EditGroupPage.tsx'), 'EditGroupPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/rollouts',
      validateSearch: (search) => pickTexts(search, ['state', 'group']),
      component: lazyRouteComponent(() => import('../pages/rollouts/RolloutsPage.tsx'), 'RolloutsPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/rollouts/$rolloutId',
      validateSearch: (search) => pickTexts(search, ['wave', 'state', 'metric']),
      component: lazyRouteComponent(() => import('../pages/rollouts/RolloutPage.tsx'), 'RolloutPage'),
    }),
    createRoute({
      getParentRoute: page,
      path: '/events',
      validateSearch: (search) => pickTexts(search, ['kind', 'subject']),
      component: lazyRouteComponent(() => import('../pages/events/EventsPage.tsx'), 'EventsPage'),
    }),
    createRoute({ getParentRoute: page, path: '/tokens', component: lazyRouteComponent(() => import('../pages/tokens/TokensPage.tsx'), 'TokensPage') }),
  ]),
])

export const createConsoleRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPendingComponent: LoadingPage,
    defaultErrorComponent: RouteErrorPage,
    defaultPreload: 'intent',
    scrollRestoration: true,
  })
