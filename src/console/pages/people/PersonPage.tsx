import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { personHistory } from '../../data/history.ts'
import { type AccountAccess, type AccountGroup, personAccess, personGroups, personOf } from '../../data/people.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { AccessName, Avatar, Count, GroupName, Time } from '../../parts/figures.tsx'
import { History } from '../../parts/History.tsx'
import { ListPage, Scroll } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Chip, StateChip } from '../../parts/StateChip.tsx'
import { Empty, Failed, Waiting } from '../../parts/states.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { Why } from './Why.tsx'

type Tab = 'access' | 'groups' | 'history'

/** One person: what they may do and why, their groups, and what was done to them. At a day of the past, where one is chosen. */
export function PersonPage() {
  const { org, account: id } = useParams({ from: '/o/$org/people/$account' })
  const search = useSearch({ from: '/o/$org/people/$account' })
  const navigate = useNavigate({ from: '/o/$org/people/$account' })
  const { data: person, error, refetch } = useQuery(personOf(id))
  if (error && !person) return <Failed error={error} what="The person could not be loaded" retry={() => void refetch()} />
  if (person === undefined) return <Waiting lines={8} />
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  const tab = (search.tab ?? 'access') as Tab
  const name = person.displayName ?? person.userName
  const [site, product, role] = search.why?.split('/') ?? []
  return (
    <ListPage
      hasTabs
      header={
        <>
          <PageHeader
            title={<bdi>{name}</bdi>}
            windowTitle={`${name} · People · ${org}`}
            trail={[
              <Link key="all" to="/o/$org/people" params={{ org }}>
                People
              </Link>,
            ]}
            beside={
              <>
                <Avatar name={name} size={32} />
                <StateChip state={person.active ? 'active' : 'inactive'} />
                {person.isProtected && <Chip tone="accent">Protected</Chip>}
                <span>
                  <bdi>{person.email ?? person.userName}</bdi> ·{' '}
                  {person.ownedBy ? `owned by ${person.ownedBy.name}` : 'owned by no directory'}
                </span>
              </>
            }
          />
          <Tabs
            label="About the person"
            value={tab}
            onChange={(next) => void navigate({ search: next === 'access' ? {} : { tab: next } })}
            tabs={[
              { value: 'access', label: 'Access' },
              { value: 'groups', label: 'Groups' },
              { value: 'history', label: 'History' },
            ]}
          />
        </>
      }
      tools={
        tab === 'history' ? undefined : (
          <>
            <SearchField
              value={search.q ?? ''}
              onChange={(q) => say({ q: q || undefined })}
              placeholder={tab === 'access' ? 'Site, product, role' : 'Search groups'}
            />
            {tab === 'access' && (
              <label className="second">
                As of{' '}
                <input
                  type="date"
                  className="field"
                  max={new Date().toISOString().slice(0, 10)}
                  value={search.at ?? ''}
                  onChange={(event) => say({ at: event.currentTarget.value || undefined, why: undefined })}
                />
              </label>
            )}
            {search.at && (
              <button type="button" className="link" onClick={() => say({ at: undefined })}>
                Back to now
              </button>
            )}
          </>
        )
      }
    >
      {tab === 'access' ? (
        <>
          {site && product && role && (
            <Why person={id} access={{ site, product, role }} onClose={() => say({ why: undefined })} />
          )}
          <DataTable
            label={`What ${name} may do`}
            list={personAccess(id, {
              ...(search.q ? { search: search.q } : {}),
              ...(search.at ? { at: `${search.at}T23:59:59Z` } : {}),
            })}
            columns={accessColumns(
              org,
              search.at ? undefined : (row) => say({ why: [row.site, row.product, row.role].join('/') }),
            )}
            idOf={({ roleId }) => roleId}
            empty={
              <Empty title={search.q ? 'No access matches.' : person.active ? 'No access.' : 'Switched off: no access.'}>
                {search.q ? '' : 'What somebody may do comes from the groups they are in.'}
              </Empty>
            }
          />
        </>
      ) : tab === 'groups' ? (
        <DataTable
          label={`Groups of ${name}`}
          list={personGroups(id, { ...(search.q ? { search: search.q } : {}), ...(search.sort ? { sort: search.sort } : {}) })}
          columns={groupColumns(org)}
          idOf={(group) => group.id}
          sort={search.sort ?? 'name'}
          onSort={(sort) => say({ sort })}
          empty={<Empty title={search.q ? 'No group matches.' : 'In no group.'} />}
        />
      ) : (
        <Scroll>
          <History org={org} of={personHistory(id)} />
        </Scroll>
      )}
    </ListPage>
  )
}

const accessColumns = (org: string, onWhy: ((row: AccountAccess) => void) | undefined): Column<AccountAccess>[] => [
  {
    key: 'access',
    header: 'Access',
    width: 'minmax(180px, 1fr)',
    cell: ({ site, product, role, roleId }) => (
      <Link to="/o/$org/access/$role" params={{ org, role: roleId }} className="cut">
        <AccessName site={site} product={product} role={role} />
      </Link>
    ),
  },
  {
    key: 'through',
    header: 'Through',
    width: 'minmax(180px, 1.2fr)',
    cell: ({ through }) => (
      <span className="cut second" title={through.join(', ')}>
        {through.join(', ')}
      </span>
    ),
  },
  {
    key: 'admin',
    header: 'Marks',
    width: '130px',
    cell: ({ isAdministrative }) => (isAdministrative ? <Chip tone="warning">Administrative</Chip> : null),
  },
  ...(onWhy
    ? [
        {
          key: 'why',
          header: <span className="unseen">Why</span>,
          width: '70px',
          align: 'end' as const,
          cell: (row: AccountAccess) => (
            <button type="button" className="link" onClick={() => onWhy(row)}>
              Why?
            </button>
          ),
        },
      ]
    : []),
]

const groupColumns = (org: string): Column<AccountGroup>[] => [
  {
    key: 'name',
    header: 'Group',
    width: 'minmax(180px, 1fr)',
    sort: 'name',
    first: 'up',
    cell: ({ id, name }) => (
      <Link to="/o/$org/groups/$group" params={{ org, group: id }} className="strong">
        <GroupName name={name} />
      </Link>
    ),
  },
  {
    key: 'managed',
    header: 'Managed by',
    width: '160px',
    cell: ({ managedBy }) => (managedBy ? <bdi>{managedBy}</bdi> : <span className="grey">here</span>),
  },
  { key: 'grants', header: 'Accesses', width: '100px', align: 'end', cell: ({ grantCount }) => <Count of={grantCount} /> },
  { key: 'since', header: 'Since', width: '140px', sort: 'since', cell: ({ since }) => <Time at={since} /> },
]
