import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { grants } from '../../data/access.ts'
import { type Group, type GroupMember, groupMembers, groupOf, useChangeGroup, useChangeMembers } from '../../data/groups.ts'
import { groupHistory } from '../../data/history.ts'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { AccessName, GroupName, Time } from '../../parts/figures.tsx'
import { History } from '../../parts/History.tsx'
import { ListPage, Scroll, Total } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Chip, StateChip } from '../../parts/StateChip.tsx'
import { Empty, Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { Tabs } from '../../parts/Tabs.tsx'
import { counted } from '../../parts/words.ts'

type Tab = 'members' | 'access' | 'history'

/** One group: its people, what it gives, where it comes from, and what was done to it. */
export function GroupPage() {
  const { org, group: id } = useParams({ from: '/o/$org/groups/$group' })
  const search = useSearch({ from: '/o/$org/groups/$group' })
  const navigate = useNavigate({ from: '/o/$org/groups/$group' })
  const { data: group, error, refetch } = useQuery(groupOf(id))
  if (error && !group) return <Failed error={error} what="The group could not be loaded" retry={() => void refetch()} />
  if (group === undefined) return <Waiting lines={8} />
  const tab = (search.tab ?? 'members') as Tab
  return (
    <ListPage
      hasTabs
      header={
        <>
          <PageHeader
            title={<GroupName name={group.name} long />}
            windowTitle={`${group.name} · Groups · ${org}`}
            trail={[
              <Link key="all" to="/o/$org/groups" params={{ org }}>
                Groups
              </Link>,
            ]}
            beside={<Marks group={group} />}
            actions={<Protect group={group} />}
          >
            <p className="second">
              {group.description && `${group.description} · `}
              {group.managedBy ? (
                <>
                  Managed by <bdi>{group.managedBy.name}</bdi>. Change it there.
                </>
              ) : (
                'Managed here.'
              )}{' '}
              {group.pushedBy && !group.managedBy && (
                <Link
                  to="/o/$org/directories/$dir/review/$pgroup"
                  params={{ org, dir: group.pushedBy.name, pgroup: group.pushedBy.id }}
                >
                  {group.pushedBy.name} pushes a group of this name, too
                </Link>
              )}
            </p>
          </PageHeader>
          <Tabs
            label="About the group"
            value={tab}
            onChange={(next) => void navigate({ search: next === 'members' ? {} : { tab: next } })}
            tabs={[
              { value: 'members', label: 'Members', count: group.memberCount },
              { value: 'access', label: 'Access', count: group.grantCount },
              { value: 'history', label: 'History' },
            ]}
          />
        </>
      }
    >
      {tab === 'members' ? (
        <Members
          org={org}
          group={group}
          search={search.q ?? ''}
          onSearch={(q) => void navigate({ search: q ? { q } : {}, replace: true })}
        />
      ) : tab === 'access' ? (
        <DataTable
          label="What the group gives"
          list={grants({ group: id })}
          idOf={({ roleId }) => roleId}
          columns={[
            {
              key: 'access',
              header: 'Access',
              width: 'minmax(0, 1fr)',
              cell: ({ site, product, role, roleId }) => (
                <Link to="/o/$org/access/$role" params={{ org, role: roleId }}>
                  <AccessName site={site} product={product} role={role} />
                </Link>
              ),
            },
            {
              key: 'marks',
              header: 'Marks',
              width: '260px',
              cell: ({ isDefault, isAdministrative }) => (
                <>
                  {isDefault && <Chip>Default access</Chip>} {isAdministrative && <Chip tone="warning">Administrative</Chip>}
                </>
              ),
            },
            { key: 'since', header: 'Since', width: '140px', cell: ({ since }) => <Time at={since} /> },
          ]}
          empty={<Empty title="It gives no access.">Its people have what their other groups give them.</Empty>}
        />
      ) : (
        <Scroll>
          <History org={org} of={groupHistory(id)} />
        </Scroll>
      )}
    </ListPage>
  )
}

const Marks = ({ group: { isDefaultAccess, isProtected, pushedBy } }: { group: Group }) => (
  <>
    {pushedBy && <StateChip state={pushedBy.state} />}
    {isDefaultAccess && <Chip>Default access</Chip>}
    {isProtected && <Chip tone="accent">Protected</Chip>}
  </>
)

const whyNot = (group: Group, what: Group['cannot'][number]['what']) => group.cannot.find((no) => no.what === what)?.why

function Protect({ group }: { group: Group }) {
  const change = useChangeGroup(group.id)
  const why = whyNot(group, 'protect')
  return (
    <>
      <FailedLine error={change.error} />
      <Button
        disabled={why !== undefined}
        title={why ?? 'A protected group is never changed by a push.'}
        loading={change.isPending}
        onClick={() => change.mutate({ isProtected: !group.isProtected })}
      >
        {group.isProtected ? 'Stop protecting' : 'Protect'}
      </Button>
    </>
  )
}

function Members({
  org,
  group,
  search,
  onSearch,
}: {
  org: string
  group: Group
  search: string
  onSearch: (search: string) => void
}) {
  const change = useChangeMembers(group.id)
  const [adding, setAdding] = useState('')
  const may = whyNot(group, 'change_members') === undefined
  return (
    <>
      <div style={{ padding: '10px 32px', display: 'flex', flexWrap: 'wrap', gap: 12, alignItems: 'center' }}>
        <SearchField value={search} onChange={onSearch} placeholder="Search members" />
        <Total>{counted(group.memberCount, 'member')}</Total>
        {may && (
          <form
            style={{ display: 'flex', gap: 8, marginLeft: 'auto' }}
            onSubmit={(event) => {
              event.preventDefault()
              change.mutate({ add: adding.split(/[\s,]+/).filter(Boolean) }, { onSuccess: () => setAdding('') })
            }}
          >
            <input
              className="field"
              aria-label="User names to add"
              placeholder="User names to add"
              value={adding}
              onChange={(event) => setAdding(event.currentTarget.value)}
            />
            <Button type="submit" disabled={adding.trim() === ''} loading={change.isPending}>
              Add
            </Button>
          </form>
        )}
      </div>
      <FailedLine error={change.error} />
      <DataTable
        label="Members"
        list={groupMembers(group.id, search ? { search } : {})}
        columns={memberColumns(org, may ? (person) => change.mutate({ remove: [person] }) : undefined)}
        idOf={({ id }) => id}
        empty={search ? <Empty title="Nobody matches." /> : <Empty title="Nobody is in it." />}
      />
    </>
  )
}

const memberColumns = (org: string, remove: ((person: string) => void) | undefined): Column<GroupMember>[] => [
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
  {
    key: 'user',
    header: 'User name',
    width: 'minmax(120px, 1fr)',
    cell: ({ userName }) => <bdi className="cut second">{userName}</bdi>,
  },
  { key: 'email', header: 'E-mail', width: 'minmax(120px, 1fr)', cell: ({ email }) => <bdi className="cut second">{email}</bdi> },
  { key: 'active', header: 'State', width: '120px', cell: ({ active }) => <StateChip state={active ? 'active' : 'inactive'} /> },
  { key: 'since', header: 'Since', width: '120px', cell: ({ since }) => <Time at={since} /> },
  ...(remove
    ? [
        {
          key: 'remove',
          header: <span className="unseen">Remove</span>,
          width: '90px',
          cell: ({ userName }: GroupMember) => (
            <button type="button" className="link" onClick={() => remove(userName)}>
              Remove
            </button>
          ),
        },
      ]
    : []),
]
