import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type RequestFilter, requests } from '../../../data/requests.ts'
import { Choose } from '../../../parts/Choose.tsx'
import { GroupName, Time } from '../../../parts/figures.tsx'
import { ListPage, Scroll } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { Empty, Failed, Waiting } from '../../../parts/states.tsx'
import { DirectoryHeader } from '../DirectoryHeader.tsx'
import { RequestDetail } from './RequestDetail.tsx'
import styles from './Requests.module.css'

const statuses: [string, string][] = [
  ['', 'Any status'],
  ['failed', 'Refused or failed'],
  ['2xx', '2xx'],
  ['4xx', '4xx'],
  ['5xx', '5xx'],
]
const methods: [string, string][] = [
  ['', 'Any method'],
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method): [string, string] => [method, method]),
]

/** What the provider asked in the last 30 days, and what became of it; one opens to its five steps. */
export function Requests() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/requests' })
  const search = useSearch({ from: '/o/$org/directories/$dir/requests' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/requests' })
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  const filter = {
    ...(search.q ? { search: search.q } : {}),
    ...(search.status ? { status: search.status } : {}),
    ...(search.method ? { method: search.method } : {}),
  } as RequestFilter
  const found = useInfiniteQuery(requests(dir, filter, 5_000))
  const rows = found.data?.pages.flatMap(({ items }) => items) ?? []
  const isNarrowed = Object.keys(filter).length > 0
  return (
    <ListPage
      hasTabs
      header={<DirectoryHeader org={org} dir={dir} page="Requests" />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Group, person, path" />
          <Choose label="Status" value={search.status} onChange={(status) => say({ status })} options={statuses} />
          <Choose label="Method" value={search.method} onChange={(method) => say({ method })} options={methods} />
        </>
      }
    >
      <Scroll>
        {found.isError && rows.length === 0 ? (
          <Failed error={found.error} what="The requests could not be loaded" retry={() => void found.refetch()} />
        ) : found.isPending ? (
          <Waiting lines={8} />
        ) : rows.length === 0 ? (
          isNarrowed ? (
            <Empty title="No request matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="No request yet.">
              Your provider has not called. Check that it has the base URL and the token of this directory’s settings.
            </Empty>
          )
        ) : (
          <>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Request</th>
                  <th scope="col">About</th>
                  <th scope="col">What became of it</th>
                  <th scope="col" className={styles.end}>
                    Took
                  </th>
                  <th scope="col" className={styles.end}>
                    Status
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((request) => (
                  <tr key={request.id} data-here={search.request === request.id}>
                    <td className="second">
                      <Time at={request.at} />
                    </td>
                    <th scope="row">
                      <button type="button" className={`link ${styles.open}`} onClick={() => say({ request: request.id })}>
                        <span className="mono">
                          {request.method} {request.path}
                        </span>
                        {request.times > 1 && <span className="grey"> × {request.times}</span>}
                      </button>
                    </th>
                    <td>{request.resource?.name ? <GroupName name={request.resource.name} /> : ''}</td>
                    <td className="second">{request.outcome}</td>
                    <td className={`number grey ${styles.end}`}>{Math.round(request.durationMs)} ms</td>
                    <td className={`number ${styles.end} ${request.status < 400 ? 'gained' : 'lost'}`}>{request.status}</td>
                  </tr>
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
      {search.request && <RequestDetail dir={dir} id={search.request} onClose={() => say({ request: undefined })} />}
    </ListPage>
  )
}
