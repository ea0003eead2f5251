import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { grants, type RolePerson, roleOf, rolePeople } from '../../data/access.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { AccessName, Count, GroupName, Time } from '../../parts/figures.tsx'
import { ListPage } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Chip } from '../../parts/StateChip.tsx'
import { Empty, Failed, Waiting } from '../../parts/states.tsx'
import { Tabs } from '../../parts/Tabs.tsx'

/** One role of a product: who has it, through which groups; on a day of the past, where one is chosen. */
export function RolePage() {
  const { org, role: id } = useParams({ from: '/o/$org/access/$role' })
  const search = useSearch({ from: '/o/$org/access/$role' })
  const navigate = useNavigate({ from: '/o/$org/access/$role' })
  const { data: role, error, isPending, refetch } = useQuery(roleOf(id))
  if (error) return <Failed error={error} what="The role could not be loaded" retry={() => void refetch()} />
  if (isPending) return <Waiting lines={8} />
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  const tab = search.tab === 'groups' ? 'groups' : 'people'
  return (
    <ListPage
      hasTabs
      header={
        <>
          <PageHeader
            title={<AccessName site={role.site} product={role.product} role={role.role} />}
            windowTitle={`${role.product} ${role.role} · Access · ${org}`}
            trail={[
              <Link key="all" to="/o/$org/access" params={{ org }}>
                Access
              </Link>,
            ]}
            beside={role.isAdministrative && <Chip tone="warning">Administrative</Chip>}
          />
          <Tabs
            label="About the role"
            value={tab}
            onChange={(next) => void navigate({ search: next === 'people' ? {} : { tab: next } })}
            tabs={[
              { value: 'people', label: 'People', count: role.peopleCount },
              { value: 'groups', label: 'Groups', count: role.groupCount },
            ]}
          />
        </>
      }
      tools={
        tab === 'people' && (
          <>
            <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search people" />
            <label className="second">
              As of{' '}
              <input
                type="date"
                className="field"
                max={new Date().toISOString().slice(0, 10)}
                value={search.at ?? ''}
                onChange={(event) => say({ at: event.currentTarget.value || undefined })}
              />
            </label>
          </>
        )
      }
    >
      {tab === 'people' ? (
        <DataTable
          label="People who have it"
          list={rolePeople(id, {
            ...(search.q ? { search: search.q } : {}),
            ...(search.at ? { at: `${search.at}T23:59:59Z` } : {}),
          })}
          columns={peopleColumns(org)}
          idOf={(person) => person.id}
          empty={<Empty title={search.q ? 'Nobody matches.' : 'Nobody has it.'} />}
        />
      ) : (
        <DataTable
          label="Groups that give it"
          list={grants({ site: role.site, product: role.product, role: role.role })}
          idOf={({ group }) => group.id}
          columns={[
            {
              key: 'group',
              header: 'Group',
              width: 'minmax(180px, 1fr)',
              cell: ({ group }) => (
                <Link to="/o/$org/groups/$group" params={{ org, group: group.id }} className="strong">
                  <GroupName name={group.name} />
                </Link>
              ),
            },
            {
              key: 'default',
              header: 'Marks',
              width: '140px',
              cell: ({ isDefault }) => (isDefault ? <Chip>Default access</Chip> : null),
            },
            {
              key: 'members',
              header: 'Members',
              width: '100px',
              align: 'end',
              cell: ({ group }) => <Count of={group.memberCount} />,
            },
            { key: 'since', header: 'Since', width: '140px', cell: ({ since }) => <Time at={since} /> },
          ]}
          empty={<Empty title="No group gives it." />}
        />
      )}
    </ListPage>
  )
}

const peopleColumns = (org: string): Column<RolePerson>[] => [
  {
    key: 'name',
    header: 'Person',
    width: 'minmax(160px, 1fr)',
    cell: ({ id, userName, displayName }) => (
      <Link to="/o/$org/people/$account" params={{ org, account: id }} className="strong cut">
        <bdi>{displayName ?? userName}</bdi>
      </Link>
    ),
  },
  { key: 'email', header: 'E-mail', width: 'minmax(140px, 1fr)', cell: ({ email }) => <bdi className="cut second">{email}</bdi> },
  {
    key: 'through',
    header: 'Through',
    width: 'minmax(180px, 1.4fr)',
    cell: ({ through }) => (
      <span className="cut second" title={through.join(', ')}>
        {through.join(', ')}
      </span>
    ),
  },
]
