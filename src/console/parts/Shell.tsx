import { ActionIcon, Drawer, Menu, useMantineColorScheme } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import {
  type Icon,
  IconCheck,
  IconHelp,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconLoader2,
  IconMenu2,
  IconPlayerPlay,
  IconPlugConnected,
  IconRubberStamp,
  IconSettings,
  IconUser,
  IconUsersGroup,
} from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { cache } from '../data/api.ts'
import { directories, directoryOf } from '../data/directories.ts'
import { useFollowing, useLive } from '../data/live.ts'
import { runsAtWork, runsToApprove } from '../data/runs.ts'
import { session, signOut } from '../data/session.ts'
import { KeySheet } from './KeySheet.tsx'
import { keysAreOn, switchKeys, useKeys } from './keys.ts'
import { Palette } from './Palette.tsx'
import styles from './Shell.module.css'
import { Failed } from './states.tsx'
import { initials, number } from './words.ts'

interface Place {
  to: string
  label: string
  icon: Icon
  count?: number | undefined
}

/** What stands around every page: where one can go, which organization, which runs are at work, help, and one's account. */
export function Shell() {
  const { org } = useParams({ strict: false }) as { org: string }
  const { dir } = useParams({ strict: false }) as { dir?: string }
  const me = useQuery(session())
  const [isOpen, setOpen] = useState(false)
  const isNarrow = useMediaQuery('(max-width: 767px)') ?? false
  const path = useRouterState({ select: ({ location }) => location.pathname })
  // Pages with an effect panel need the width themselves.
  const isRail = useMediaQuery(/\/review|\/undo/.test(path) ? '(max-width: 1599px)' : '(max-width: 1099px)') ?? false
  const navigate = useNavigate()
  const toApprove = useQuery(runsToApprove())
  const at = `/o/${org}`
  useFollowing()
  const { isPaused } = useLive()
  useKeys({
    'g r': () => dir && void navigate({ to: `${at}/directories/${dir}/review` }),
    'g p': () => void navigate({ to: `${at}/people` }),
    'g u': () => void navigate({ to: `${at}/runs` }),
    'g g': () => void navigate({ to: `${at}/groups` }),
    'g o': () => void navigate({ to: at }),
  })

  if (me.data && me.data.organization.slug !== org)
    return (
      <main className={styles.foreign}>
        <h1>This page belongs to another organization</h1>
        <p>
          You are signed in to {me.data.organization.name}. Its address names <bdi>{org}</bdi>: ask whoever sent the link, or sign
          in there.
        </p>
        <Link to="/o/$org" params={{ org: me.data.organization.slug }}>
          Go to {me.data.organization.name}
        </Link>
      </main>
    )

  const places: Place[][] = [
    [
      { to: at, label: 'Overview', icon: IconLayoutDashboard },
      { to: `${at}/directories`, label: 'Directories', icon: IconPlugConnected },
      { to: `${at}/runs`, label: 'Runs', icon: IconPlayerPlay },
      { to: `${at}/groups`, label: 'Groups', icon: IconUsersGroup },
      { to: `${at}/people`, label: 'People', icon: IconUser },
      { to: `${at}/access`, label: 'Access', icon: IconKey },
    ],
    [
      { to: `${at}/approvals`, label: 'Approvals', icon: IconRubberStamp, count: toApprove.data?.total },
      { to: `${at}/audit`, label: 'Audit', icon: IconHistory },
      { to: `${at}/settings`, label: 'Settings', icon: IconSettings },
    ],
  ]
  const nav = (asRail: boolean) => (
    <nav aria-label="Main" className={styles.nav} data-rail={asRail}>
      {places.map((group) => (
        <ul key={group[0]?.label}>
          {group.map(({ to, label, icon: Shown, count }) => (
            <li key={label}>
              <Link
                to={to}
                activeOptions={{ exact: to === at }}
                activeProps={{ 'data-here': true, 'aria-current': 'page' }}
                className={styles.place}
                title={asRail ? label : undefined}
                onClick={() => setOpen(false)}
              >
                <Shown size={17} stroke={1.75} aria-hidden />
                <span className={styles.label}>{label}</span>
                {count !== undefined && count > 0 && <span className={styles.count}>{number(count)}</span>}
              </Link>
              {label === 'Directories' && !asRail && <DirectoryPlaces org={org} onGo={() => setOpen(false)} />}
            </li>
          ))}
        </ul>
      ))}
    </nav>
  )
  return (
    <div className={styles.shell} data-rail={isRail}>
      <a href="#main" className={styles.skip}>
        Skip to the page
      </a>
      <header className={styles.top}>
        {isNarrow && (
          <ActionIcon variant="subtle" color="gray" size={36} aria-label="Menu" onClick={() => setOpen(true)}>
            <IconMenu2 size={20} />
          </ActionIcon>
        )}
        <Link to="/o/$org" params={{ org }} className={styles.brand} aria-label="Muster, overview">
          <img src="/icon.svg" alt="" width={24} height={24} />
          <span className={styles.wide}>Muster</span>
        </Link>
        <span className={styles.slash} aria-hidden>
          /
        </span>
        <span className={styles.organization}>
          <span className={styles.badge} aria-hidden>
            {initials(me.data?.organization.name ?? org)}
          </span>
          <bdi className="cut">{me.data?.organization.name ?? org}</bdi>
        </span>
        <span className={styles.gap} />
        <Palette org={org} places={places.flat()} />
        <span className={styles.gap} />
        <RunsAtWork org={org} />
        <Account />
        <ActionIcon component="a" href={helpUrl} variant="subtle" color="gray" size={32} aria-label="Help">
          <IconHelp size={18} stroke={1.75} />
        </ActionIcon>
      </header>
      <KeySheet />
      {!isNarrow && nav(isRail)}
      <Drawer opened={isNarrow && isOpen} onClose={() => setOpen(false)} size={260} title="Muster">
        {nav(false)}
      </Drawer>
      <main id="main" className={styles.main} tabIndex={-1}>
        {isPaused && (
          <p role="status" className={styles.paused}>
            Live updates paused, trying again.
          </p>
        )}
        {me.isError ? (
          <Failed error={me.error} what="The server did not say who you are" retry={() => void me.refetch()} />
        ) : (
          <Outlet />
        )}
      </main>
    </div>
  )
}

const helpUrl = '/api/openapi.json'

function DirectoryPlaces({ org, onGo }: { org: string; onGo: () => void }) {
  const { data } = useQuery(directories())
  return (
    <ul>
      {data?.items.slice(0, 8).map(({ id, name }) => (
        <li key={id}>
          <Link
            to="/o/$org/directories/$dir"
            params={{ org, dir: name }}
            className={styles.place}
            activeProps={{ 'data-here': true }}
            onClick={onGo}
          >
            <bdi className={`${styles.label} ${styles.deep}`}>{name}</bdi>
            <ToReview directory={name} />
          </Link>
        </li>
      ))}
    </ul>
  )
}

function ToReview({ directory }: { directory: string }) {
  const { data } = useQuery(directoryOf(directory))
  return data && data.groups.needsReview > 0 ? <span className={styles.count}>{number(data.groups.needsReview)}</span> : null
}

function RunsAtWork({ org }: { org: string }) {
  const { data } = useQuery(runsAtWork())
  const [run] = data?.items ?? []
  const before = useRef<string>(undefined)
  useEffect(() => {
    // What a run has done is in every list.
    if (before.current !== undefined && before.current !== run?.id) {
      void cache.invalidateQueries({ queryKey: ['reviews'] })
      void cache.invalidateQueries({ queryKey: ['directory'] })
    }
    before.current = run?.id
  }, [run?.id])
  const done = run ? run.groups.synced + run.groups.skipped + run.groups.failed : 0
  return (
    <Link to={run ? '/o/$org/runs/$run' : '/o/$org/runs'} params={{ org, run: run?.id ?? '' }} className={styles.runs}>
      {run ? <IconLoader2 size={14} className={styles.turning} aria-hidden /> : <IconCheck size={14} aria-hidden />}
      <span className="number">{run ? `${number(done)} of ${number(run.groups.total)}` : 'No run'}</span>
    </Link>
  )
}

function Account(): ReactNode {
  const { data } = useQuery(session())
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const navigate = useNavigate()
  if (!data) return null
  const name = data.person?.displayName ?? data.person?.userName ?? 'API token'
  const leave = () => signOut().finally(() => navigate({ to: '/sign-in' }))
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <button type="button" className={styles.account} aria-label={`${initials(name)}, account of ${name}`}>
          {initials(name)}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name} · {data.role}
        </Menu.Label>
        {(['auto', 'light', 'dark'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            rightSection={colorScheme === scheme ? <IconCheck size={14} /> : null}
          >
            {scheme === 'auto' ? 'As the system is' : scheme === 'light' ? 'Light' : 'Dark'}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => switchKeys(!keysAreOn())}>
          {keysAreOn() ? 'Switch keys of one letter off' : 'Switch keys of one letter on'}
        </Menu.Item>
        <Menu.Item onClick={() => void leave()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
