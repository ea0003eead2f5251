import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type ProvisionedUser, provisionedUsers } from '../../../data/directories.ts'
import { Choose } from '../../../parts/Choose.tsx'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { Time } from '../../../parts/figures.tsx'
import { ListPage, Total } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { StateChip } from '../../../parts/StateChip.tsx'
import { Empty } from '../../../parts/states.tsx'
import { counted, reasonWords } from '../../../parts/words.ts'
import { DirectoryHeader } from '../DirectoryHeader.tsx'

const states: [ProvisionedUser['state'] | '', string][] = [
  ['', 'Any state'],
  ['needs_review', 'Needs review'],
  ['held', 'Held'],
  ['blocked', 'Blocked'],
  ['synced', 'Synced'],
]

const matchedWords: Partial<Record<string, string>> = {
  email: 'by e-mail',
  user_name: 'by user name',
  created: 'new here',
  person: 'by hand',
}

/** Every person that the directory pushed, and who that is here. */
export function ProvisionedUsers() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/users' })
  const search = useSearch({ from: '/o/$org/directories/$dir/users' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/users' })
  const [total, setTotal] = useState<number>()
  const state = search.state as ProvisionedUser['state'] | undefined
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      hasTabs
      header={<DirectoryHeader org={org} dir={dir} page="Provisioned users" />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search users" />
          <Choose label="State" value={state} onChange={(next) => say({ state: next })} options={states} />
          <Total>{total !== undefined && counted(total, 'user')}</Total>
        </>
      }
    >
      <DataTable
        label={`Users that ${dir} pushed`}
        list={provisionedUsers(dir, {
          ...(state ? { state } : {}),
          ...(search.q ? { search: search.q } : {}),
          ...(search.sort ? { sort: search.sort } : {}),
        })}
        columns={columns(org)}
        idOf={({ id }) => id}
        sort={search.sort ?? 'userName'}
        onSort={(sort) => say({ sort })}
        onRows={(_, all) => setTotal(all)}
        empty={
          search.q || state ? (
            <Empty title="Nobody matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="Nobody was pushed yet.">Assign people to the app at your provider.</Empty>
          )
        }
      />
    </ListPage>
  )
}

const columns = (org: string): Column<ProvisionedUser>[] => [
  {
    key: 'name',
    header: 'Pushed user',
    width: 'minmax(160px, 1.2fr)',
    sort: 'userName',
    first: 'up',
    cell: ({ userName, person }) => (
      <Link to="/o/$org/people/$account" params={{ org, account: person.id }} className="strong cut">
        <bdi>{userName}</bdi>
      </Link>
    ),
  },
  {
    key: 'state',
    header: 'State',
    width: '130px',
    sort: 'state',
    first: 'up',
    cell: ({ state, active }) => (active ? <StateChip state={state} /> : <StateChip state="inactive" word="Switched off" />),
  },
  {
    key: 'person',
    header: 'Is here',
    width: 'minmax(160px, 1.2fr)',
    cell: ({ person }) => (
      <span className="cut second">
        <bdi>{person.email ?? person.userName}</bdi>
      </span>
    ),
  },
  {
    key: 'matched',
    header: 'Matched',
    width: '110px',
    cell: ({ matchedBy }) => <span className="second">{matchedWords[matchedBy] ?? matchedBy}</span>,
  },
  {
    key: 'why',
    header: 'Why',
    width: 'minmax(100px, 1fr)',
    cell: ({ reasons }) => (
      <span className="cut second">{reasons.map((reason) => reasonWords[reason] ?? reason.replaceAll('_', ' ')).join(' ')}</span>
    ),
  },
  { key: 'at', header: 'Changed', width: '120px', sort: 'updatedAt', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
]
