import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { ApiError, cache } from './data/api.ts'
import { session } from './data/session.ts'
import { Shell } from './parts/Shell.tsx'
import { Failed } from './parts/states.tsx'

// The URLs of console.md §1. Every state of a list is in the URL, so that it can be sent to a colleague.

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** What a list's URL may say: its own filters, and search and order. */
const says =
  <const Name extends string>(...names: Name[]) =>
  (search: Record<string, unknown>): { [K in Name | 'q' | 'sort']?: string } =>
    Object.fromEntries(
      ['q', 'sort', ...names].flatMap((name) => {
        const value = search[name] === undefined ? undefined : text(String(search[name]))
        return value === undefined ? [] : [[name, value]]
      }),
    ) as { [K in Name | 'q' | 'sort']?: string }

const root = createRootRoute({
  notFoundComponent: lazyRouteComponent(() => import('./pages/NotFound.tsx'), 'NotFound'),
  errorComponent: ({ error, reset }) => <Failed error={error} what="This page could not be shown" retry={reset} />,
})

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search): { to?: string; now?: boolean; problem?: string } => ({
    ...(text(search.to) ? { to: text(search.to) } : {}),
    ...(search.now === true ? { now: true } : {}),
    ...(text(search.problem) ? { problem: text(search.problem) } : {}),
  }),
  component: lazyRouteComponent(() => import('./pages/SignIn.tsx'), 'SignIn'),
})

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('./pages/Setup.tsx'), 'Setup'),
})

const device = createRoute({
  getParentRoute: () => root,
  path: '/device',
  validateSearch: (search): { code?: string } => (text(search.code) ? { code: text(search.code) } : {}),
  beforeLoad: ({ location }) => known(location.href),
  component: lazyRouteComponent(() => import('./pages/Device.tsx'), 'Device'),
})

const known = async (to: string) => {
  try {
    return await cache.ensureQueryData(session())
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw redirect({ to: '/sign-in', search: { to } })
    throw error
  }
}

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ location }) => {
    const { organization } = await known(location.href)
    throw redirect({ to: '/o/$org', params: { org: organization.slug } })
  },
})

const organization = createRoute({
  getParentRoute: () => root,
  path: '/o/$org',
  beforeLoad: ({ location }) => known(location.href).then((me) => ({ me })),
  component: Shell,
})

const overview = createRoute({
  getParentRoute: () => organization,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/Overview.tsx'), 'Overview'),
})

const reviewSearch = says('state', 'effect', 'members', 'site', 'product', 'role', 'warning', 'viewed')

const review = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/review',
  validateSearch: reviewSearch,
  component: lazyRouteComponent(() => import('./pages/directories/review/ReviewList.tsx'), 'ReviewList'),
})

const directoryList = createRoute({
  getParentRoute: () => organization,
  path: '/directories',
  component: lazyRouteComponent(() => import('./pages/directories/DirectoryList.tsx'), 'DirectoryList'),
})
const connect = createRoute({
  getParentRoute: () => organization,
  path: '/directories/new',
  validateSearch: says('waiting'),
  component: lazyRouteComponent(() => import('./pages/directories/connect/Connect.tsx'), 'Connect'),
})
const directoryPage = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir',
  component: lazyRouteComponent(() => import('./pages/directories/DirectoryOverview.tsx'), 'DirectoryOverview'),
})
const provisionedGroups = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/groups',
  validateSearch: says('state'),
  component: lazyRouteComponent(() => import('./pages/directories/provisioned/ProvisionedGroups.tsx'), 'ProvisionedGroups'),
})
const provisionedUsers = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/users',
  validateSearch: says('state'),
  component: lazyRouteComponent(() => import('./pages/directories/provisioned/ProvisionedUsers.tsx'), 'ProvisionedUsers'),
})
const requests = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/requests',
  validateSearch: says('status', 'method', 'request'),
  component: lazyRouteComponent(() => import('./pages/directories/requests/Requests.tsx'), 'Requests'),
})
const heldPage = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/held',
  validateSearch: says(),
  component: lazyRouteComponent(() => import('./pages/directories/held/HeldPage.tsx'), 'HeldPage'),
})
const matchesPage = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/people',
  validateSearch: says('match'),
  component: lazyRouteComponent(() => import('./pages/directories/matches/MatchesPage.tsx'), 'MatchesPage'),
})
const reconcilePage = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/reconcile',
  validateSearch: says('finding'),
  component: lazyRouteComponent(() => import('./pages/directories/reconcile/ReconcilePage.tsx'), 'ReconcilePage'),
})
const directorySettings = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/settings',
  component: lazyRouteComponent(() => import('./pages/directories/settings/DirectorySettings.tsx'), 'DirectorySettings'),
})
const suggestions = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/review/suggestions',
  validateSearch: says(),
  component: lazyRouteComponent(() => import('./pages/directories/review/Suggestions.tsx'), 'Suggestions'),
})
const group = createRoute({
  getParentRoute: () => organization,
  path: '/directories/$dir/review/$pgroup',
  validateSearch: says('state', 'effect', 'members', 'site', 'product', 'role', 'warning', 'viewed', 'tab'),
  component: lazyRouteComponent(() => import('./pages/directories/review/GroupReview.tsx'), 'GroupReview'),
})
const groupList = createRoute({
  getParentRoute: () => organization,
  path: '/groups',
  validateSearch: says('only'),
  component: lazyRouteComponent(() => import('./pages/groups/GroupList.tsx'), 'GroupList'),
})
const groupPage = createRoute({
  getParentRoute: () => organization,
  path: '/groups/$group',
  validateSearch: says('tab'),
  component: lazyRouteComponent(() => import('./pages/groups/GroupPage.tsx'), 'GroupPage'),
})
const personList = createRoute({
  getParentRoute: () => organization,
  path: '/people',
  validateSearch: says('active'),
  component: lazyRouteComponent(() => import('./pages/people/PersonList.tsx'), 'PersonList'),
})
const person = createRoute({
  getParentRoute: () => organization,
  path: '/people/$account',
  validateSearch: says('tab', 'at', 'why'),
  component: lazyRouteComponent(() => import('./pages/people/PersonPage.tsx'), 'PersonPage'),
})
const access = createRoute({
  getParentRoute: () => organization,
  path: '/access',
  validateSearch: says(),
  component: lazyRouteComponent(() => import('./pages/access/AccessList.tsx'), 'AccessList'),
})
const rolePage = createRoute({
  getParentRoute: () => organization,
  path: '/access/$role',
  validateSearch: says('tab', 'at'),
  component: lazyRouteComponent(() => import('./pages/access/RolePage.tsx'), 'RolePage'),
})
const auditPage = createRoute({
  getParentRoute: () => organization,
  path: '/audit',
  validateSearch: says('actor', 'action', 'since', 'until'),
  component: lazyRouteComponent(() => import('./pages/audit/Audit.tsx'), 'Audit'),
})
const approvals = createRoute({
  getParentRoute: () => organization,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./pages/approvals/Approvals.tsx'), 'Approvals'),
})
const generalSettings = createRoute({
  getParentRoute: () => organization,
  path: '/settings',
  component: lazyRouteComponent(() => import('./pages/settings/GeneralSettings.tsx'), 'GeneralSettings'),
})
const adminList = createRoute({
  getParentRoute: () => organization,
  path: '/settings/admins',
  component: lazyRouteComponent(() => import('./pages/settings/Admins.tsx'), 'Admins'),
})
const signInSettings = createRoute({
  getParentRoute: () => organization,
  path: '/settings/sign-in',
  component: lazyRouteComponent(() => import('./pages/settings/SignInSettings.tsx'), 'SignInSettings'),
})
const ownSignIn = createRoute({
  getParentRoute: () => organization,
  path: '/settings/sessions',
  component: lazyRouteComponent(() => import('./pages/settings/OwnSignIn.tsx'), 'OwnSignIn'),
})
const apiTokens = createRoute({
  getParentRoute: () => organization,
  path: '/settings/tokens',
  component: lazyRouteComponent(() => import('./pages/settings/ApiTokens.tsx'), 'ApiTokens'),
})
const runList = createRoute({
  getParentRoute: () => organization,
  path: '/runs',
  validateSearch: says(),
  component: lazyRouteComponent(() => import('./pages/runs/RunList.tsx'), 'RunList'),
})
const run = createRoute({
  getParentRoute: () => organization,
  path: '/runs/$run',
  validateSearch: says('result'),
  component: lazyRouteComponent(() => import('./pages/runs/RunPage.tsx'), 'RunPage'),
})

const undo = createRoute({
  getParentRoute: () => organization,
  path: '/runs/$run/undo',
  component: lazyRouteComponent(() => import('./pages/runs/UndoPage.tsx'), 'UndoPage'),
})

const tree = root.addChildren([
  index,
  signIn,
  setup,
  device,
  organization.addChildren([
    overview,
    directoryList,
    connect,
    directoryPage,
    provisionedGroups,
    provisionedUsers,
    requests,
    heldPage,
    matchesPage,
    reconcilePage,
    directorySettings,
    review,
    suggestions,
    group,
    runList,
    run,
    undo,
    groupList,
    groupPage,
    personList,
    person,
    access,
    rolePage,
    auditPage,
    approvals,
    generalSettings,
    adminList,
    signInSettings,
    ownSignIn,
    apiTokens,
  ]),
])

export const router = createRouter({ routeTree: tree, defaultPreload: false, scrollRestoration: false })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
