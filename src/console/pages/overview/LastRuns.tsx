import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lastRuns } from '../../data/runs.ts'
import { Gained, Lost, Time } from '../../parts/figures.tsx'
import { runState, StateChip } from '../../parts/StateChip.tsx'
import { counted, runKindWords } from '../../parts/words.ts'
import styles from './Overview.module.css'

/** The last ten runs. */
export function LastRuns({ org }: { org: string }) {
  const { data } = useQuery(lastRuns())
  if (!data || data.items.length === 0) return null
  return (
    <section className="card">
      <header>
        <h2>Last runs</h2>
        <Link to="/o/$org/runs" params={{ org }}>
          All runs
        </Link>
      </header>
      <ul>
        {data.items.map((run) => (
          <li key={run.id} className={styles.run}>
            <Link to="/o/$org/runs/$run" params={{ org, run: run.id }} className={`${styles.name} cut`}>
              {runKindWords[run.kind as keyof typeof runKindWords] ?? run.kind} {counted(run.groups.total, 'group')}
            </Link>
            <StateChip state={runState(run)} />
            <span className="number">
              <Lost count={run.access.lost} /> <Gained count={run.access.gained} />
            </span>
            <span className="small grey">
              <Time at={run.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
