import { Button } from '@mantine/core'
import { IconPlugConnected, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type Directory, directories, directoryOf } from '../../data/directories.ts'
import { Count, StackedBar, Time } from '../../parts/figures.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { Empty, Failed, Waiting } from '../../parts/states.tsx'
import { counted } from '../../parts/words.ts'
import styles from './DirectoryList.module.css'
import { policyWords, providerNames } from './providers.ts'

/** Every provider that is connected, and how far its groups are in force. */
export function DirectoryList() {
  const { org } = useParams({ from: '/o/$org/directories' })
  const { data, error, isPending, refetch } = useQuery(directories())
  const connect = (
    <Button
      component={Link}
      to={`/o/${org}/directories/new`}
      variant={data?.total === 0 ? 'filled' : 'default'}
      leftSection={<IconPlus size={16} />}
    >
      Connect a directory
    </Button>
  )
  return (
    <div className="page">
      <PageHeader
        title="Directories"
        windowTitle={`Directories · ${org}`}
        actions={data && data.total > 0 ? connect : undefined}
      />
      {error && !data ? (
        <Failed error={error} what="The directories could not be loaded" retry={() => void refetch()} />
      ) : isPending ? (
        <Waiting />
      ) : data.total === 0 ? (
        <Empty
          icon={<IconPlugConnected size={32} stroke={1.5} aria-hidden />}
          title="No directory is connected."
          action={connect}
        >
          A directory is one identity provider: Okta, Entra ID, Google, Keycloak or another that speaks SCIM 2.0. What it pushes
          waits here for your review wherever a group of that name exists.
        </Empty>
      ) : (
        <ul className={styles.list}>
          {data.items.map((directory) => (
            <Standing key={directory.id} org={org} directory={directory} />
          ))}
        </ul>
      )}
    </div>
  )
}

function Standing({ org, directory }: { org: string; directory: Directory }) {
  const { data } = useQuery(directoryOf(directory.name))
  const groups = data?.groups
  const to = { to: '/o/$org/directories/$dir', params: { org, dir: directory.name } } as const
  return (
    <li className="card">
      <header>
        <h2>
          <Link {...to}>
            <bdi>{directory.name}</bdi>
          </Link>
        </h2>
        <span className="grey">
          {providerNames[directory.provider]} · {policyWords[directory.conflictPolicy].toLowerCase()}
        </span>
        <span className="small grey">
          <Time at={data?.lastPush} prefix="Last push " />
        </span>
      </header>
      <div className={`body ${styles.body}`}>
        {groups === undefined ? (
          <Waiting lines={1} />
        ) : (
          <>
            <p>
              <b className="strong">
                <Count of={groups.synced} />
              </b>{' '}
              of {counted(groups.received, 'group')} synced · {counted(data?.users.received ?? 0, 'user')}
            </p>
            <StackedBar
              label={`${groups.synced} synced, ${groups.needsReview} need review, ${groups.held} held, ${groups.blocked} blocked, ${groups.ignored} ignored`}
              parts={[
                { count: groups.synced, color: 'var(--gained-shape)' },
                { count: groups.needsReview + groups.held, color: 'var(--warning-shape)' },
                { count: groups.blocked + groups.ignored, color: 'var(--unchanged-shape)' },
              ]}
            />
            {groups.needsReview > 0 && (
              <Link to="/o/$org/directories/$dir/review" params={{ org, dir: directory.name }}>
                {counted(groups.needsReview, 'group needs', 'groups need')} review
              </Link>
            )}
          </>
        )}
      </div>
    </li>
  )
}
