import { Button } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { directories, directoryOf } from '../../data/directories.ts'
import { effectOf, facets } from '../../data/reviews.ts'
import { runsToApprove } from '../../data/runs.ts'
import { EffectSentence } from '../../parts/figures.tsx'
import { Matrix } from '../../parts/Matrix.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { Empty, Failed, Waiting } from '../../parts/states.tsx'
import { counted, number } from '../../parts/words.ts'
import { LastRuns } from './LastRuns.tsx'
import { NeedsYou } from './NeedsYou.tsx'
import styles from './Overview.module.css'
import { Standing } from './Standing.tsx'

/** What needs somebody first, each with a link; then how each directory stands, and the last runs. */
export function Overview() {
  const { org } = useParams({ from: '/o/$org/' })
  const all = useQuery(directories())
  const details = useQueries({ queries: (all.data?.items ?? []).slice(0, 20).map(({ name }) => directoryOf(name)) })
  const toApprove = useQuery(runsToApprove())
  const known = details.flatMap(({ data }) => (data ? [data] : []))
  const worst = known.toSorted((a, b) => b.groups.needsReview - a.groups.needsReview)[0]
  const dir = worst?.name ?? ''
  const hasReviews = worst !== undefined && worst.groups.needsReview > 0
  const effect = useQuery({
    ...effectOf(dir, { selection: { mode: 'filter', filter: {} }, defaultChoice: 'overwrite' }),
    enabled: hasReviews,
  })
  const counts = useQuery({ ...facets(dir, {}), enabled: hasReviews })
  if (all.isError) return <Failed error={all.error} what="The overview could not be loaded" retry={() => void all.refetch()} />
  if (all.data?.items.length === 0)
    return (
      <div className="page">
        <PageHeader title="Overview" windowTitle={`Overview · ${org}`} />
        <Empty
          icon={<IconPlugConnected size={32} stroke={1.5} aria-hidden />}
          title="Connect your identity provider"
          action={
            <Button variant="filled" renderRoot={(props) => <Link {...props} to="/o/$org/directories/new" params={{ org }} />}>
              Connect a directory
            </Button>
          }
        >
          What it pushes passes muster here first: nothing that you have is overwritten before somebody has seen what that would
          take.
        </Empty>
      </div>
    )
  return (
    <div className="page">
      <PageHeader title="Overview" windowTitle={`Overview · ${org}`} />
      {details.some(({ isPending }) => isPending) || all.isPending ? (
        <Waiting lines={6} />
      ) : (
        <>
          <NeedsYou org={org} directories={known} toApprove={toApprove.data?.items ?? []}>
            {hasReviews && (
              <div className={styles.first}>
                <div>
                  <p className={styles.line}>
                    <span className={styles.figure}>{number(worst.groups.needsReview)}</span>
                    <b className="strong">{worst.groups.needsReview === 1 ? 'group needs' : 'groups need'} your review</b>{' '}
                    <bdi className="grey">{dir}</bdi>
                  </p>
                  <p className={styles.sentence}>
                    {effect.data ? (
                      <>
                        Synced together, <EffectSentence {...effect.data.access} />{' '}
                        {effect.data.access.leftWithNone === 0
                          ? 'Nobody is'
                          : `${counted(effect.data.access.leftWithNone, 'person is', 'people are')}`}{' '}
                        left with no access.
                      </>
                    ) : (
                      'Computing what they would do together…'
                    )}
                  </p>
                </div>
                <Button
                  size="lg"
                  variant="filled"
                  renderRoot={(props) => <Link {...props} to="/o/$org/directories/$dir/review" params={{ org, dir }} />}
                >
                  Review groups
                </Button>
                {counts.data && (
                  <Split
                    org={org}
                    dir={dir}
                    none={counts.data.effect.none}
                    takes={counts.data.effect.takes}
                    total={counts.data.total}
                  />
                )}
              </div>
            )}
          </NeedsYou>
          <div className={styles.cards}>
            {known.map((directory) => (
              <Standing key={directory.id} org={org} directory={directory} />
            ))}
            {effect.data && effect.data.matrix.length > 0 && (
              <section className="card">
                <header>
                  <h2>If all {number(effect.data.groups)} were synced</h2>
                  <span className="small grey">accesses lost and gained</span>
                </header>
                <div className="body">
                  <Matrix cells={effect.data.matrix} />
                </div>
              </section>
            )}
            <LastRuns org={org} />
          </div>
        </>
      )}
    </div>
  )
}

/** How much of it is harmless: most. */
function Split({ org, dir, none, takes, total }: { org: string; dir: string; none: number; takes: number; total: number }) {
  const parts = [
    { key: 'none', count: none, label: 'No access effect', color: 'var(--unchanged-shape)', search: { effect: 'none' } },
    { key: 'gives', count: total - none - takes, label: 'Gives only', color: 'var(--gained-shape)', search: { effect: 'gives' } },
    { key: 'takes', count: takes, label: 'Takes access', color: 'var(--lost-shape)', search: { effect: 'takes' } },
  ].filter(({ count }) => count > 0)
  return (
    <ul className={styles.split}>
      {parts.map(({ key, count, label, color, search }) => (
        <li key={key} style={{ flexGrow: count }}>
          <span className={styles.bar} style={{ background: color }} />
          <Link to="/o/$org/directories/$dir/review" params={{ org, dir }} search={search} className={styles.part}>
            <b className="strong number">{number(count)}</b> {label}
          </Link>
        </li>
      ))}
    </ul>
  )
}
