import { IconRubberStamp } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { type Run, runsToApprove } from '../../data/runs.ts'
import { EffectSentence, Time } from '../../parts/figures.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { Empty, Failed, Waiting } from '../../parts/states.tsx'
import { counted, runKindWords } from '../../parts/words.ts'

/** Runs that wait for a second person, with what they would do. One is answered on its own page, where everything about it stands. */
export function Approvals() {
  const { org } = useParams({ from: '/o/$org/approvals' })
  const { data, error, refetch } = useQuery(runsToApprove())
  return (
    <div className="page">
      <PageHeader title="Approvals" windowTitle={`Approvals · ${org}`} />
      {error && !data ? (
        <Failed error={error} what="The approvals could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : data.items.length === 0 ? (
        <Empty icon={<IconRubberStamp size={32} stroke={1.5} aria-hidden />} title="Nothing waits for you.">
          Runs that take access from many people wait here for a second person, where the organization asks for it:{' '}
          <Link to="/o/$org/settings" params={{ org }}>
            Settings
          </Link>
        </Empty>
      ) : (
        data.items.map((run) => <Asked key={run.id} org={org} run={run} />)
      )}
    </div>
  )
}

const Asked = ({ org, run }: { org: string; run: Run }) => (
  <section className="card narrow">
    <header>
      <h2>
        <Link to="/o/$org/runs/$run" params={{ org, run: run.id }}>
          {runKindWords[run.kind]} {counted(run.groups.total, 'group')} of {run.directory}
        </Link>
      </h2>
      <span className="small grey">
        <bdi>{run.createdBy}</bdi>, <Time at={run.createdAt} />
      </span>
    </header>
    <div className="body">
      <p>
        <EffectSentence {...run.foreseen.access} />
      </p>
      {run.note && <p className="second">«{run.note}»</p>}
      {run.approval && (
        <p className="small grey">
          <Time at={run.approval.expiresAt} prefix="Expires " />
        </p>
      )}
    </div>
    <footer className="deeds">
      <Link to="/o/$org/runs/$run" params={{ org, run: run.id }}>
        Look and decide
      </Link>
    </footer>
  </section>
)
