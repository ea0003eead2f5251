import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type Run, runs } from '../../data/runs.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { Count, Gained, Lost, Time } from '../../parts/figures.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { runState, StateChip } from '../../parts/StateChip.tsx'
import { Empty } from '../../parts/states.tsx'
import { counted, runKindWords } from '../../parts/words.ts'
import styles from './RunList.module.css'

/** Every run, the newest first: who asked for it, what it did, and how it stands. */
export function RunList() {
  const { org } = useParams({ from: '/o/$org/runs' })
  const { sort } = useSearch({ from: '/o/$org/runs' })
  const navigate = useNavigate({ from: '/o/$org/runs' })
  return (
    <div className={styles.page}>
      <div className={styles.header}>
        <PageHeader title="Runs" windowTitle={`Runs · ${org}`} />
      </div>
      <DataTable
        label="Runs"
        list={runs({ ...(sort ? { sort } : {}) })}
        columns={columns(org)}
        idOf={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/o/$org/runs/$run', params: { org, run: id } })}
        sort={sort ?? '-createdAt'}
        onSort={(next) => void navigate({ search: { sort: next } })}
        empty={<Empty title="No run yet.">A run stands here once somebody syncs a group.</Empty>}
      />
    </div>
  )
}

const columns = (org: string): Column<Run>[] => [
  {
    key: 'what',
    header: 'Run',
    width: 'minmax(160px, 1fr)',
    sort: 'groups',
    cell: (run) => (
      <Link to="/o/$org/runs/$run" params={{ org, run: run.id }} className="strong">
        {runKindWords[run.kind]} {counted(run.groups.total, 'group')}
      </Link>
    ),
  },
  { key: 'state', header: 'State', width: '170px', sort: 'state', cell: (run) => <StateChip state={runState(run)} /> },
  { key: 'directory', header: 'Directory', width: '110px', cell: ({ directory }) => <bdi className="cut">{directory}</bdi> },
  {
    key: 'by',
    header: 'Asked by',
    width: 'minmax(90px, 160px)',
    cell: ({ createdBy }) => <bdi className="cut second">{createdBy}</bdi>,
  },
  { key: 'at', header: 'When', width: '110px', sort: 'createdAt', cell: ({ createdAt }) => <Time at={createdAt} /> },
  {
    key: 'groups',
    header: 'Synced · skipped · failed',
    width: '150px',
    align: 'end',
    cell: ({ groups }) => (
      <>
        <Count of={groups.synced} /> · <Count of={groups.skipped} /> · <Count of={groups.failed} />
      </>
    ),
  },
  {
    key: 'access',
    header: 'Accesses',
    width: '100px',
    align: 'end',
    cell: ({ access }) => (
      <>
        <Lost count={access.lost} /> <Gained count={access.gained} />
      </>
    ),
  },
]
