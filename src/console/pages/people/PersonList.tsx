import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type Account, people } from '../../data/people.ts'
import { Choose } from '../../parts/Choose.tsx'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { Count, Time } from '../../parts/figures.tsx'
import { ListPage, Total } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { StateChip } from '../../parts/StateChip.tsx'
import { Empty } from '../../parts/states.tsx'
import { counted } from '../../parts/words.ts'

/** Everybody in the organization: whose they are, and how many groups they are in. */
export function PersonList() {
  const { org } = useParams({ from: '/o/$org/people' })
  const search = useSearch({ from: '/o/$org/people' })
  const navigate = useNavigate({ from: '/o/$org/people' })
  const [total, setTotal] = useState<number>()
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      header={<PageHeader title="People" windowTitle={`People · ${org}`} />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search people" />
          <Choose
            label="State"
            value={search.active}
            onChange={(active) => say({ active })}
            options={[
              ['', 'Active or not'],
              ['true', 'Active'],
              ['false', 'Switched off'],
            ]}
          />
          <Total>{total !== undefined && counted(total, 'person', 'people')}</Total>
        </>
      }
    >
      <DataTable
        label="People"
        list={people({
          ...(search.q ? { search: search.q } : {}),
          ...(search.sort ? { sort: search.sort } : {}),
          ...(search.active ? { active: search.active === 'true' } : {}),
        })}
        columns={columns(org)}
        idOf={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/o/$org/people/$account', params: { org, account: id } })}
        sort={search.sort ?? 'name'}
        onSort={(sort) => say({ sort })}
        onRows={(_, all) => setTotal(all)}
        empty={
          search.q || search.active ? (
            <Empty title="Nobody matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="Nobody is here yet.">
              Bring people in with «muster import», or connect a directory that pushes them.
            </Empty>
          )
        }
      />
    </ListPage>
  )
}

const columns = (org: string): Column<Account>[] => [
  {
    key: 'name',
    header: 'Person',
    width: 'minmax(160px, 1.2fr)',
    sort: 'name',
    first: 'up',
    cell: ({ id, userName, displayName }) => (
      <Link to="/o/$org/people/$account" params={{ org, account: id }} className="strong cut">
        <bdi>{displayName ?? userName}</bdi>
      </Link>
    ),
  },
  {
    key: 'email',
    header: 'E-mail',
    width: 'minmax(140px, 1.2fr)',
    sort: 'email',
    first: 'up',
    cell: ({ email }) => <bdi className="cut second">{email}</bdi>,
  },
  {
    key: 'active',
    header: 'State',
    width: '130px',
    sort: 'active',
    cell: ({ active }) => <StateChip state={active ? 'active' : 'inactive'} />,
  },
  {
    key: 'owner',
    header: 'Owned by',
    width: '130px',
    cell: ({ ownedBy }) => (ownedBy ? <bdi className="cut">{ownedBy.name}</bdi> : <span className="grey">nobody</span>),
  },
  {
    key: 'groups',
    header: 'Groups',
    width: '90px',
    align: 'end',
    sort: 'groups',
    cell: ({ groupCount }) => <Count of={groupCount} />,
  },
  { key: 'at', header: 'Changed', width: '120px', sort: 'updatedAt', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
]
