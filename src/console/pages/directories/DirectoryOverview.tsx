import { Button } from '@mantine/core'
import { IconAlertTriangle, IconArrowRight, IconCircleCheck, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type DirectoryDetail, directoryOf, directoryTokens } from '../../data/directories.ts'
import { usePause } from '../../data/life.ts'
import { requests } from '../../data/requests.ts'
import { CopyField } from '../../parts/CopyField.tsx'
import { GroupName, StackedBar, Time } from '../../parts/figures.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { counted, number } from '../../parts/words.ts'
import { DirectoryHeader } from './DirectoryHeader.tsx'
import styles from './DirectoryOverview.module.css'
import { Observing } from './life/Observing.tsx'
import { policyWords, providerNames } from './providers.ts'

/** How a directory stands: what waits, what is in force, whether that is all, and how it is connected. */
export function DirectoryOverview() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir' })
  const { data, error, refetch } = useQuery(directoryOf(dir))
  return (
    <div className="page">
      <DirectoryHeader org={org} dir={dir} page="Overview" actions={data && <Pause directory={data} />} />
      {error && !data ? (
        <Failed error={error} what="The directory could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting lines={8} />
      ) : (
        <>
          {data.observing ? <Observing org={org} dir={dir} /> : <Banner org={org} directory={data} />}
          <div className={styles.columns}>
            <div className={styles.column}>
              <InForce org={org} directory={data} />
              <Complete directory={data} />
              <LastPushes org={org} dir={dir} />
            </div>
            <Connection org={org} directory={data} />
          </div>
        </>
      )}
    </div>
  )
}

// Reads go on; the provider is told to come back later.
function Pause({ directory: { name, pausedAt } }: { directory: DirectoryDetail }) {
  const pause = usePause(name)
  return (
    <>
      <FailedLine error={pause.error} />
      <Button
        leftSection={pausedAt ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
        loading={pause.isPending}
        onClick={() => pause.mutate(!pausedAt)}
      >
        {pausedAt ? 'Take pushes again' : 'Pause'}
      </Button>
    </>
  )
}

function Banner({ org, directory: { name, groups } }: { org: string; directory: DirectoryDetail }) {
  const waiting = groups.needsReview + groups.blocked + groups.held
  if (waiting === 0) return null
  const parts = [
    groups.needsReview > 0 && `${number(groups.needsReview)} need your review`,
    groups.held > 0 && `${number(groups.held)} hold back removals`,
    groups.blocked > 0 && `${number(groups.blocked)} are blocked`,
  ].filter(Boolean)
  return (
    <section className={styles.banner}>
      <IconAlertTriangle size={20} stroke={1.75} aria-hidden />
      <div>
        <p className="strong">{counted(waiting, 'group')} could not be synced</p>
        <p>{parts.join(', ')}. Members you have today stay as they are until you decide.</p>
      </div>
      <Button
        component={Link}
        to={`/o/${org}/directories/${encodeURIComponent(name)}/review`}
        variant="filled"
        rightSection={<IconArrowRight size={16} />}
      >
        Review groups
      </Button>
    </section>
  )
}

const columns = ['received', 'synced', 'needsReview', 'blocked', 'held', 'ignored'] as const
const columnWords = {
  received: 'Received',
  synced: 'Synced',
  needsReview: 'Needs review',
  blocked: 'Blocked',
  held: 'Held',
  ignored: 'Ignored',
}
const stateOf = {
  received: undefined,
  synced: 'synced',
  needsReview: 'needs_review',
  blocked: 'blocked',
  held: 'held',
  ignored: 'ignored',
}

function InForce({ org, directory: { name, groups, users, unknownMembersCount } }: { org: string; directory: DirectoryDetail }) {
  const legend = [
    { word: 'Synced', count: groups.synced, color: 'var(--gained-shape)' },
    { word: 'Needs review', count: groups.needsReview, color: 'var(--warning-shape)' },
    { word: 'Held', count: groups.held, color: 'var(--warning-line)' },
    { word: 'Blocked', count: groups.blocked, color: 'var(--unchanged-shape)' },
    { word: 'Ignored', count: groups.ignored, color: 'var(--track)' },
  ].filter(({ count }) => count > 0)
  return (
    <section className="card">
      <header>
        <h2>Received and in force</h2>
      </header>
      <div className={`body ${styles.inForce}`}>
        {groups.received > 0 && (
          <>
            <StackedBar label={legend.map(({ word, count }) => `${word} ${count}`).join(', ')} parts={legend} />
            <ul className={styles.legend}>
              {legend.map(({ word, count, color }) => (
                <li key={word}>
                  <span style={{ background: color }} aria-hidden />
                  {word} <b className="number strong">{number(count)}</b>
                </li>
              ))}
            </ul>
          </>
        )}
        <div className={styles.scroll}>
          <table className={styles.counts}>
            <thead>
              <tr>
                <th>
                  <span className="unseen">What</span>
                </th>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {columnWords[column]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(['groups', 'users'] as const).map((kind) => (
                <tr key={kind}>
                  <th scope="row">{kind === 'groups' ? 'Groups' : 'Users'}</th>
                  {columns.map((column) => {
                    const count = (kind === 'groups' ? groups : users)[column]
                    return (
                      <td key={column} className="number">
                        {count === 0 ? (
                          <span className="grey">0</span>
                        ) : (
                          <Link
                            to={kind === 'groups' ? '/o/$org/directories/$dir/groups' : '/o/$org/directories/$dir/users'}
                            params={{ org, dir: name }}
                            search={stateOf[column] ? { state: stateOf[column] } : {}}
                          >
                            {number(count)}
                          </Link>
                        )}
                      </td>
                    )
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
      <footer className="small second">
        {counted(unknownMembersCount, 'unknown member')}
        {unknownMembersCount > 0 && ': pushed as members, but no user of this directory. Each counts once its user is pushed.'}
      </footer>
    </section>
  )
}

function Complete({ directory: { complete, groups, name } }: { directory: DirectoryDetail }) {
  const missing = groups.received - groups.synced
  return (
    <section className="card">
      <header>
        <h2>Complete?</h2>
      </header>
      <div className={`body ${styles.complete}`}>
        {complete ? (
          <>
            <IconCircleCheck size={24} stroke={1.75} color="var(--gained-shape)" aria-hidden />
            <div>
              <p className={styles.figure}>
                {number(groups.received)} = {number(groups.synced)}
              </p>
              <p className="second">Every group that {name} pushed is in force, and nothing differs.</p>
            </div>
          </>
        ) : (
          <div>
            <p className={styles.figure}>
              {number(groups.synced)} of {number(groups.received)}
            </p>
            <p className="second">
              {groups.received === 0
                ? `${name} has pushed no group yet.`
                : missing > 0
                  ? `${counted(missing, 'group')} of ${name} ${missing === 1 ? 'is' : 'are'} not in force yet.`
                  : 'Every group is synced, but something that was pushed waits still: see the counts above.'}
            </p>
          </div>
        )}
      </div>
    </section>
  )
}

const shown = 6

function LastPushes({ org, dir }: { org: string; dir: string }) {
  const { data } = useInfiniteQuery(requests(dir, {}))
  const rows = (data?.pages[0]?.items ?? []).slice(0, shown)
  return (
    <section className="card">
      <header>
        <h2>Last requests</h2>
        <Link to="/o/$org/directories/$dir/requests" params={{ org, dir }}>
          All requests
        </Link>
      </header>
      {rows.length === 0 ? (
        <p className="body second">No request yet. Your provider has not called.</p>
      ) : (
        <ul className={styles.pushes}>
          {rows.map((request) => (
            <li key={request.id}>
              <span className="grey number">
                <Time at={request.at} />
              </span>
              <span className="mono second">{request.method}</span>
              <span className="cut">
                {request.resource?.name ? (
                  <GroupName name={request.resource.name} />
                ) : (
                  <span className="mono">{request.path}</span>
                )}
              </span>
              <span className="cut second">{request.outcome}</span>
              <span className={`number ${request.status < 400 ? 'gained' : 'lost'}`}>{request.status}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Connection({ org, directory }: { org: string; directory: DirectoryDetail }) {
  const { data } = useQuery(directoryTokens(directory.name))
  const live = (data?.items ?? []).filter(({ revokedAt, expiresAt }) => revokedAt === null && new Date(expiresAt) > new Date())
  const soonest = live.map(({ expiresAt }) => expiresAt).sort()[0]
  return (
    <aside className="card">
      <header>
        <h2>Connection</h2>
        <Link to="/o/$org/directories/$dir/settings" params={{ org, dir: directory.name }}>
          Settings
        </Link>
      </header>
      <div className={`body ${styles.connection}`}>
        <CopyField label="SCIM base URL" value={directory.scimUrl} />
        <dl className="facts">
          <dt>Provider</dt>
          <dd>{providerNames[directory.provider]}</dd>
          <dt>Last push</dt>
          <dd>
            <Time at={directory.lastPush} />
          </dd>
          <dt>Last error</dt>
          <dd>
            {directory.lastError ? (
              <>
                {directory.lastError.detail}{' '}
                <span className="grey">
                  <Time at={directory.lastError.at} />
                </span>
              </>
            ) : (
              'None in 30 days'
            )}
          </dd>
          <dt>Tokens</dt>
          <dd>
            {number(live.length)} live{soonest && <Expiry at={soonest} />}
          </dd>
          <dt>Existing name</dt>
          <dd>{policyWords[directory.conflictPolicy]}</dd>
          <dt>Guard</dt>
          <dd>Removals past {directory.guardMembersPercent} % wait</dd>
          <dt>Quiet time</dt>
          <dd>{directory.quietSeconds === 0 ? 'Off' : counted(directory.quietSeconds, 'second')}</dd>
        </dl>
      </div>
    </aside>
  )
}

function Expiry({ at }: { at: string }) {
  const days = Math.floor((new Date(at).getTime() - Date.now()) / 86_400_000)
  return days > 30 ? null : <span className="warn">, one expires in {counted(days, 'day')}</span>
}
