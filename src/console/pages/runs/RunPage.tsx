import { Button, Menu } from '@mantine/core'
import { IconArrowBackUp, IconChevronDown, IconFileDownload, IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { cache } from '../../data/api.ts'
import { isOver, type Result, type Run, type RunGroup, runGroups, runOf, useSay } from '../../data/runs.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { download } from '../../parts/download.ts'
import { Gained, GroupName, Lost, Time } from '../../parts/figures.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { runState, StateChip } from '../../parts/StateChip.tsx'
import { Empty, Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { choiceWords, counted, resultWords, runKindWords } from '../../parts/words.ts'
import { Approval } from './Approval.tsx'
import { Retry } from './Retry.tsx'
import { RunEffect } from './RunEffect.tsx'
import styles from './RunPage.module.css'
import { RunProgress } from './RunProgress.tsx'
import { RunTimeline } from './RunTimeline.tsx'

const tabs = ['all', 'synced', 'failed', 'skipped', 'waiting'] as const

/** A run: how far it is, what it did beside what was foreseen, and what became of each group; failures first. */
export function RunPage() {
  const { org, run: id } = useParams({ from: '/o/$org/runs/$run' })
  const { result, q, sort } = useSearch({ from: '/o/$org/runs/$run' })
  const navigate = useNavigate({ from: '/o/$org/runs/$run' })
  const asked = useQuery(runOf(id))
  const say = useSay(id)
  const [isRetrying, setRetrying] = useState(false)
  const run = asked.data
  const ended = run !== undefined && isOver(run)
  const done = run ? run.groups.synced + run.groups.skipped + run.groups.failed : 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: when it goes on, and when it ends, the list and the reviews are others
  useEffect(() => {
    void cache.invalidateQueries({ queryKey: ['runs', id, 'groups'] })
    if (ended) void cache.invalidateQueries({ queryKey: ['reviews'] })
  }, [Math.floor(done / 50), ended])
  if (asked.isError) return <Failed error={asked.error} what="The run could not be loaded" retry={() => void asked.refetch()} />
  if (run === undefined) return <Waiting lines={10} />
  const title = `${runKindWords[run.kind]} ${counted(run.groups.total, 'group')}`
  const left = run.groups.failed + run.groups.skipped
  const file = (format: 'csv' | 'json') => void download(`/api/v1/runs/${id}/groups`, { format, limit: 0 }, `run-${id}.${format}`)
  return (
    <div className="page">
      <PageHeader
        title={title}
        windowTitle={`${title} · Runs · ${org}`}
        trail={[
          <Link key="runs" to="/o/$org/runs" params={{ org }}>
            Runs
          </Link>,
          <span key="id" className="mono">
            {id.slice(0, 4)}…{id.slice(-4)}
          </span>,
        ]}
        beside={
          <>
            <StateChip state={runState(run)} />
            {run.undoes && (
              <Link to="/o/$org/runs/$run" params={{ org, run: run.undoes }}>
                undoes a run
              </Link>
            )}
            {run.undoneBy && (
              <Link to="/o/$org/runs/$run" params={{ org, run: run.undoneBy }}>
                undone by a run
              </Link>
            )}
            {run.retryOf && (
              <Link to="/o/$org/runs/$run" params={{ org, run: run.retryOf }}>
                retries a run
              </Link>
            )}
          </>
        }
        actions={
          ended ? (
            <>
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button
                    leftSection={<IconFileDownload size={16} stroke={1.75} aria-hidden />}
                    rightSection={<IconChevronDown size={14} aria-hidden />}
                  >
                    Download report
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => file('csv')}>CSV</Menu.Item>
                  <Menu.Item onClick={() => file('json')}>JSON</Menu.Item>
                </Menu.Dropdown>
              </Menu>
              {run.groups.synced > 0 && run.undoneBy === null && (
                <Button
                  leftSection={<IconArrowBackUp size={16} stroke={1.75} aria-hidden />}
                  renderRoot={(props) => <Link {...props} to="/o/$org/runs/$run/undo" params={{ org, run: id }} />}
                >
                  Undo run
                </Button>
              )}
            </>
          ) : (
            run.state !== 'awaiting_approval' && (
              <>
                <span className="small grey">You can leave this page. The run goes on.</span>
                <Button
                  leftSection={<IconPlayerStop size={16} stroke={1.75} aria-hidden />}
                  loading={say.isPending}
                  onClick={() => say.mutate({ what: 'stop' })}
                >
                  Stop after this group
                </Button>
              </>
            )
          )
        }
      >
        {run.note && <p className="second">«{run.note}»</p>}
      </PageHeader>
      <FailedLine error={say.error} />
      {run.state === 'awaiting_approval' && <Approval run={run} />}
      <div className={styles.cards}>
        <section className="card">
          <div className="body">
            <RunProgress run={run} />
            {ended && left > 0 && (
              <div className={styles.left}>
                <Button leftSection={<IconRefresh size={16} stroke={1.75} aria-hidden />} onClick={() => setRetrying(true)}>
                  Retry {leftWords(run)}
                </Button>
              </div>
            )}
          </div>
        </section>
        <RunEffect run={run} />
        <section className="card">
          <div className="body">
            <RunTimeline run={run} />
          </div>
        </section>
      </div>
      <section className="card">
        <div className={styles.head}>
          <Tabs
            label="Results"
            value={result ?? 'all'}
            onChange={(next) =>
              void navigate({ search: { q, sort, ...(next === 'all' ? {} : { result: next }) }, replace: true })
            }
            tabs={tabs
              .filter((tab) => tab !== 'waiting' || !ended)
              .map((value) => ({ value, label: value[0]?.toUpperCase() + value.slice(1), count: countOf(run, value) }))}
          />
          <SearchField
            value={q ?? ''}
            onChange={(next) => void navigate({ search: { result, sort, ...(next ? { q: next } : {}) }, replace: true })}
            placeholder="Search groups"
          />
        </div>
        <DataTable
          label="Groups of the run"
          list={runGroups(id, {
            ...(result ? { result: result as Result } : {}),
            ...(q ? { search: q } : {}),
            ...(sort ? { sort } : {}),
          })}
          columns={columns}
          idOf={({ group }) => group.id}
          sort={sort}
          onSort={(next) => void navigate({ search: { q, result, sort: next }, replace: true })}
          maxHeight={44 * 13 + 32}
          empty={<Empty title={q ? 'No group matches.' : 'None.'} />}
        />
      </section>
      {isRetrying && <Retry org={org} run={run} onClose={() => setRetrying(false)} />}
    </div>
  )
}

const leftWords = ({ groups: { failed, skipped } }: Run): string =>
  failed === 0 ? `${skipped} skipped` : skipped === 0 ? `${failed} failed` : `${failed} failed and ${skipped} skipped`

const countOf = ({ groups }: Run, tab: (typeof tabs)[number]): number =>
  tab === 'all' ? groups.total : tab === 'waiting' ? groups.total - groups.synced - groups.skipped - groups.failed : groups[tab]

const columns: Column<RunGroup>[] = [
  {
    key: 'group',
    header: 'Group',
    width: 'minmax(160px, 1.2fr)',
    sort: 'name',
    first: 'up',
    cell: ({ group }) => <GroupName name={group.name} />,
  },
  {
    key: 'choice',
    header: 'Choice',
    width: '100px',
    cell: ({ choice }) => choiceWords[choice as keyof typeof choiceWords] ?? choice,
  },
  { key: 'result', header: 'Result', width: '86px', cell: ({ result }) => <StateChip state={result ?? 'waiting'} /> },
  { key: 'why', header: <span className="unseen">Why</span>, width: 'minmax(0, 1.6fr)', cell: (row) => <Why row={row} /> },
  {
    key: 'members',
    header: 'Members',
    width: '90px',
    align: 'end',
    sort: 'removed',
    cell: ({ result, members }) =>
      result === 'synced' ? (
        <>
          <Gained count={members.added} /> <Lost count={members.removed} />
        </>
      ) : (
        <span className="grey">–</span>
      ),
  },
  {
    key: 'access',
    header: 'Accesses',
    width: '90px',
    align: 'end',
    sort: 'lost',
    cell: ({ result, access }) =>
      result === 'synced' ? (
        <>
          <Lost count={access.lost} /> <Gained count={access.gained} />
        </>
      ) : (
        <span className="grey">–</span>
      ),
  },
  {
    key: 'at',
    header: 'When',
    width: '100px',
    align: 'end',
    sort: 'finishedAt',
    cell: ({ finishedAt }) => (finishedAt ? <Time at={finishedAt} /> : <span className="grey">–</span>),
  },
]

/** In plain words; the server's own text below. */
const Why = ({ row: { result, reason, detail } }: { row: RunGroup }) =>
  result === 'synced' || reason === null ? null : (
    <span className={styles.why}>
      <span className="cut">{resultWords[reason] ?? reason}</span>
      {detail && (
        <span className={`${styles.detail} cut`} title={detail}>
          {detail}
        </span>
      )}
    </span>
  )
