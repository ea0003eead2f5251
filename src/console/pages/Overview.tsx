import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type Directory, directories, directoryOf } from '../data/directories.ts'
import { Count, StackedBar, Time } from '../parts/figures.tsx'
import { PageHeader } from '../parts/PageHeader.tsx'
import { StateChip } from '../parts/StateChip.tsx'
import { Failed, Waiting } from '../parts/states.tsx'
import { counted } from '../parts/words.ts'

/** What needs somebody first, then how each directory stands. */
export function Overview() {
  const { org } = useParams({ from: '/o/$org/' })
  const all = useQuery(directories())
  if (all.isError) return <Failed error={all.error} what="The overview could not be loaded" retry={() => void all.refetch()} />
  return (
    <div className="page">
      <PageHeader title="Overview" windowTitle={`Overview · ${org}`} />
      {all.isPending ? (
        <Waiting />
      ) : (
        all.data.items.map((directory) => <Standing key={directory.id} org={org} directory={directory} />)
      )}
    </div>
  )
}

function Standing({ org, directory: { name } }: { org: string; directory: Directory }) {
  const { data } = useQuery(directoryOf(name))
  if (!data) return <Waiting />
  const { groups } = data
  return (
    <section className="card">
      <header>
        <h2>
          <Link to="/o/$org/directories/$dir" params={{ org, dir: name }}>
            {name}
          </Link>
        </h2>
        <StateChip state="live" />
        <span className="small grey">
          <Time at={data.lastPush} prefix="Last push " />
        </span>
      </header>
      <div className="body">
        <p>
          <b className="strong">
            <Count of={groups.synced} />
          </b>{' '}
          of {counted(groups.received, 'group')} synced
        </p>
        <StackedBar
          label={`${groups.synced} synced, ${groups.needsReview} need review, ${groups.blocked} blocked`}
          parts={[
            { count: groups.synced, color: 'var(--gained-shape)' },
            { count: groups.needsReview, color: 'var(--warning-shape)' },
            { count: groups.blocked, color: 'var(--unchanged-shape)' },
          ]}
        />
        <p>
          <Link to="/o/$org/directories/$dir/review" params={{ org, dir: name }}>
            {counted(groups.needsReview, 'group needs', 'groups need')} review
          </Link>
        </p>
      </div>
    </section>
  )
}
