import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type Role, roles } from '../../data/access.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { AccessName, Count } from '../../parts/figures.tsx'
import { ListPage, Total } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Chip } from '../../parts/StateChip.tsx'
import { Empty } from '../../parts/states.tsx'
import { counted } from '../../parts/words.ts'

/** Every role of every product of every site: how many groups give it, how many people have it. */
export function AccessList() {
  const { org } = useParams({ from: '/o/$org/access' })
  const search = useSearch({ from: '/o/$org/access' })
  const navigate = useNavigate({ from: '/o/$org/access' })
  const [total, setTotal] = useState<number>()
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      header={<PageHeader title="Access" windowTitle={`Access · ${org}`} />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Site, product, role" />
          <Total>{total !== undefined && counted(total, 'role')}</Total>
        </>
      }
    >
      <DataTable
        label="Roles"
        list={roles({ ...(search.q ? { search: search.q } : {}), ...(search.sort ? { sort: search.sort } : {}) })}
        columns={columns(org)}
        idOf={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/o/$org/access/$role', params: { org, role: id } })}
        sort={search.sort ?? 'site'}
        onSort={(sort) => say({ sort })}
        onRows={(_, all) => setTotal(all)}
        empty={
          search.q ? (
            <Empty title="No role matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="No access yet.">
              Bring in who has what with «muster import», or give a group an access with «muster access grant».
            </Empty>
          )
        }
      />
    </ListPage>
  )
}

const columns = (org: string): Column<Role>[] => [
  {
    key: 'role',
    header: 'Site · product · role',
    width: 'minmax(200px, 1fr)',
    sort: 'site',
    first: 'up',
    cell: ({ id, site, product, role }) => (
      <Link to="/o/$org/access/$role" params={{ org, role: id }} className="cut">
        <AccessName site={site} product={product} role={role} />
      </Link>
    ),
  },
  {
    key: 'marks',
    header: 'Marks',
    width: '150px',
    cell: ({ isAdministrative }) => (isAdministrative ? <Chip tone="warning">Administrative</Chip> : null),
  },
  {
    key: 'groups',
    header: 'Groups',
    width: '100px',
    align: 'end',
    cell: ({ groupCount }) => <Count of={groupCount} />,
  },
  {
    key: 'people',
    header: 'People',
    width: '100px',
    align: 'end',
    cell: ({ peopleCount }) => <Count of={peopleCount} />,
  },
]
