import { Button } from '@mantine/core'
import { IconDownload, IconShieldCheck } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { audit, type Entry, useVerify } from '../../data/audit.ts'
import { Time } from '../../parts/figures.tsx'
import { ListPage, Scroll } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Empty, Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { counted, minus, number, plus } from '../../parts/words.ts'
import styles from './Audit.module.css'

/** Every change of every kind, who made it and what it took and gave; and whether the record is whole. */
export function Audit() {
  const { org } = useParams({ from: '/o/$org/audit' })
  const search = useSearch({ from: '/o/$org/audit' })
  const navigate = useNavigate({ from: '/o/$org/audit' })
  const filter = {
    ...(search.actor ? { actor: search.actor } : {}),
    ...(search.action ? { action: search.action } : {}),
    ...(search.since ? { since: `${search.since}T00:00:00Z` } : {}),
    ...(search.until ? { until: `${search.until}T23:59:59Z` } : {}),
  }
  const found = useInfiniteQuery(audit(filter))
  const rows = found.data?.pages.flatMap(({ items }) => items) ?? []
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      header={
        <PageHeader
          title="Audit"
          windowTitle={`Audit · ${org}`}
          actions={
            <>
              <Button component="a" href="/api/v1/audit/export" leftSection={<IconDownload size={16} />}>
                Download all
              </Button>
              <Verify />
            </>
          }
        />
      }
      tools={
        <>
          <SearchField value={search.actor ?? ''} onChange={(actor) => say({ actor: actor || undefined })} placeholder="Who" />
          <input
            className="field"
            aria-label="What was done"
            placeholder="What, as members.changed"
            defaultValue={search.action ?? ''}
            onBlur={(event) => say({ action: event.currentTarget.value || undefined })}
            onKeyDown={(event) => event.key === 'Enter' && say({ action: event.currentTarget.value || undefined })}
          />
          <label className="second">
            From{' '}
            <input
              type="date"
              className="field"
              value={search.since ?? ''}
              onChange={(event) => say({ since: event.currentTarget.value || undefined })}
            />
          </label>
          <label className="second">
            to{' '}
            <input
              type="date"
              className="field"
              value={search.until ?? ''}
              onChange={(event) => say({ until: event.currentTarget.value || undefined })}
            />
          </label>
        </>
      }
    >
      <Scroll>
        {found.isError && rows.length === 0 ? (
          <Failed error={found.error} what="The log could not be loaded" retry={() => void found.refetch()} />
        ) : found.isPending ? (
          <Waiting lines={8} />
        ) : rows.length === 0 ? (
          <Empty title="No entry matches.">
            <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
              Clear filters
            </button>
          </Empty>
        ) : (
          <>
            <table className={styles.table} aria-label="The log">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">Object</th>
                  <th scope="col">Members</th>
                  <th scope="col">Sealed</th>
                </tr>
              </thead>
              <tbody>
                {rows.map((entry) => (
                  <Line key={entry.id} org={org} entry={entry} />
                ))}
              </tbody>
            </table>
            {found.hasNextPage && (
              <div className={styles.more}>
                <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                  Show older
                </Button>
              </div>
            )}
          </>
        )}
      </Scroll>
    </ListPage>
  )
}

function Line({ org, entry }: { org: string; entry: Entry }) {
  const { added, removed, pushedAdded, pushedRemoved } = entry.members
  const names = [...removed.names.map((name) => `−${name}`), ...added.names.map((name) => `+${name}`)].join(', ')
  const pushed = pushedAdded.count + pushedRemoved.count
  return (
    <tr>
      <td className="second">
        <Time at={entry.at} />
      </td>
      <td>
        <bdi>{entry.actor}</bdi>
      </td>
      <th scope="row">
        <span className="mono">{entry.action}</span>
        {entry.runId && (
          <>
            {' '}
            <Link to="/o/$org/runs/$run" params={{ org, run: entry.runId }} className="small">
              run
            </Link>
          </>
        )}
      </th>
      <td>
        <bdi>{entry.subject?.name ?? entry.subject?.id}</bdi>
        {entry.role && (
          <span className="second">
            {' '}
            {entry.role.site} · {entry.role.product} · {entry.role.role}
          </span>
        )}
      </td>
      <td title={names}>
        {removed.count > 0 && <span className="number lost">{minus(removed.count)} </span>}
        {added.count > 0 && <span className="number gained">{plus(added.count)} </span>}
        {pushed > 0 && <span className="grey">{number(pushed)} pushed</span>}
      </td>
      <td className="grey">{entry.block === null ? 'not yet' : `block ${number(entry.block)}`}</td>
    </tr>
  )
}

function Verify() {
  const [entries, setEntries] = useState(0)
  const verify = useVerify(setEntries)
  const said = verify.data
  return (
    <>
      <span role="status">
        {verify.isPending ? (
          <span className="second">{counted(entries, 'entry', 'entries')} so far</span>
        ) : said?.fault ? (
          <span className="lost">{said.fault.text}</span>
        ) : (
          said && (
            <span className="gained">
              {counted(said.entries, 'entry', 'entries')} verified
              {said.unsealed > 0 && `, ${counted(said.unsealed, 'newer one')} not sealed yet`}
            </span>
          )
        )}
      </span>
      <Button leftSection={<IconShieldCheck size={16} />} loading={verify.isPending} onClick={() => verify.mutate()}>
        Verify
      </Button>
      <FailedLine error={verify.error} />
    </>
  )
}
