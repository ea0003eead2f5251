import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type Match, matches, useSayWho } from '../../../data/life.ts'
import { Choose } from '../../../parts/Choose.tsx'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { ListPage, Total } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { Chip } from '../../../parts/StateChip.tsx'
import { Empty, FailedLine } from '../../../parts/states.tsx'
import { counted } from '../../../parts/words.ts'
import { DirectoryHeader } from '../DirectoryHeader.tsx'

const matchWords: Record<Match['match'], [word: string, tone: 'gained' | 'accent' | 'warning' | 'neutral']> = {
  matched: ['Matched', 'gained'],
  new: ['New here', 'accent'],
  probably_same: ['Probably the same', 'warning'],
  doubtful: ['Doubtful', 'warning'],
  not_in_provider: ['Not pushed', 'neutral'],
}

/** Who the pushed people are here; those who look like one person under two names are linked or kept apart by hand. */
export function MatchesPage() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/people' })
  const search = useSearch({ from: '/o/$org/directories/$dir/people' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/people' })
  const [total, setTotal] = useState<number>()
  const sayWho = useSayWho(dir)
  const match = search.match as Match['match'] | undefined
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      hasTabs
      header={<DirectoryHeader org={org} dir={dir} page="Who is whom" />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search people" />
          <Choose
            label="Match"
            value={match}
            onChange={(next) => say({ match: next })}
            options={[
              ['', 'Everybody'],
              ...Object.entries(matchWords).map(([value, [word]]): [Match['match'], string] => [value as Match['match'], word]),
            ]}
          />
          <Total>{total !== undefined && counted(total, 'person', 'people')}</Total>
          <FailedLine error={sayWho.error} />
        </>
      }
    >
      <DataTable
        label="Who is whom"
        list={matches(dir, { ...(match ? { match } : {}), ...(search.q ? { search: search.q } : {}) })}
        columns={columns((user, person) => sayWho.mutate({ user, ...(person ? { person } : {}) }))}
        idOf={({ user, person }) => user?.id ?? person.id}
        onRows={(_, all) => setTotal(all)}
        empty={<Empty title={match === 'probably_same' ? 'Nobody looks like somebody else.' : 'Nobody matches.'} />}
      />
    </ListPage>
  )
}

const columns = (sayWho: (user: string, person?: string) => void): Column<Match>[] => [
  {
    key: 'user',
    header: 'Pushed user',
    width: 'minmax(150px, 1fr)',
    cell: ({ user }) => (user ? <bdi className="cut strong">{user.userName}</bdi> : <span className="grey">none</span>),
  },
  {
    key: 'match',
    header: 'Match',
    width: '160px',
    cell: ({ match }) => <Chip tone={matchWords[match][1]}>{matchWords[match][0]}</Chip>,
  },
  {
    key: 'person',
    header: 'Is here',
    width: 'minmax(150px, 1fr)',
    cell: ({ person }) => <bdi className="cut">{person.email ?? person.userName}</bdi>,
  },
  {
    key: 'alike',
    header: 'Looks like',
    width: 'minmax(150px, 1fr)',
    cell: ({ alike }) => alike && <bdi className="cut second">{alike.displayName ?? alike.userName}</bdi>,
  },
  {
    key: 'switches',
    header: 'Would be',
    width: '110px',
    cell: ({ switches }) => (switches === 'off' ? 'switched off' : switches === 'on' ? 'switched on' : ''),
  },
  {
    key: 'act',
    header: <span className="unseen">What can be done</span>,
    width: '190px',
    align: 'end',
    cell: ({ user, alike, match }) =>
      user &&
      alike &&
      (match === 'probably_same' || match === 'doubtful') && (
        <>
          <button type="button" className="link" onClick={() => sayWho(user.id, alike.id)}>
            The same person
          </button>{' '}
          <button type="button" className="link" onClick={() => sayWho(user.id)}>
            Two people
          </button>
        </>
      ),
  },
]
