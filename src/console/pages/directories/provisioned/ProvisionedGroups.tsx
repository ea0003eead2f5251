import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type ProvisionedGroup, provisionedGroups } from '../../../data/directories.ts'
import { Choose } from '../../../parts/Choose.tsx'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { Count, GroupName, Time } from '../../../parts/figures.tsx'
import { ListPage, Total } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { StateChip } from '../../../parts/StateChip.tsx'
import { Empty } from '../../../parts/states.tsx'
import { counted, reasonWords } from '../../../parts/words.ts'
import { DirectoryHeader } from '../DirectoryHeader.tsx'

const states: [ProvisionedGroup['state'] | '', string][] = [
  ['', 'Any state'],
  ['needs_review', 'Needs review'],
  ['held', 'Held'],
  ['blocked', 'Blocked'],
  ['ignored', 'Ignored'],
  ['ready', 'Ready'],
  ['synced', 'Synced'],
]

/** Every group that the directory pushed: which group it stands for here, and how it stands. */
export function ProvisionedGroups() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/groups' })
  const search = useSearch({ from: '/o/$org/directories/$dir/groups' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/groups' })
  const [total, setTotal] = useState<number>()
  const state = search.state as ProvisionedGroup['state'] | undefined
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      hasTabs
      header={<DirectoryHeader org={org} dir={dir} page="Provisioned groups" />}
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search groups" />
          <Choose label="State" value={state} onChange={(next) => say({ state: next })} options={states} />
          <Total>{total !== undefined && counted(total, 'group')}</Total>
        </>
      }
    >
      <DataTable
        label={`Groups that ${dir} pushed`}
        list={provisionedGroups(dir, {
          ...(state ? { state } : {}),
          ...(search.q ? { search: search.q } : {}),
          ...(search.sort ? { sort: search.sort } : {}),
        })}
        columns={columns(org, dir)}
        idOf={({ id }) => id}
        sort={search.sort ?? 'name'}
        onSort={(sort) => say({ sort })}
        onRows={(_, all) => setTotal(all)}
        rowHeight={44}
        empty={
          search.q || state ? (
            <Empty title="No group matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="No group was pushed yet.">Assign a group to the app at your provider, then push it.</Empty>
          )
        }
      />
    </ListPage>
  )
}

const columns = (org: string, dir: string): Column<ProvisionedGroup>[] => [
  {
    key: 'name',
    header: 'Pushed group',
    width: 'minmax(160px, 1.4fr)',
    sort: 'name',
    first: 'up',
    cell: ({ id, name, externalId }) => (
      <span>
        <Link to="/o/$org/directories/$dir/review/$pgroup" params={{ org, dir, pgroup: id }} className="strong">
          <GroupName name={name} />
        </Link>
        {externalId && <span className="mono grey cut">{externalId}</span>}
      </span>
    ),
  },
  {
    key: 'state',
    header: 'State',
    width: '130px',
    sort: 'state',
    first: 'up',
    cell: ({ state }) => <StateChip state={state} />,
  },
  {
    key: 'why',
    header: 'Why',
    width: 'minmax(120px, 1.2fr)',
    cell: ({ reasons }) => {
      const words = reasons.map((reason) => reasonWords[reason] ?? reason.replaceAll('_', ' ')).join(' ')
      return (
        <span className="cut second" title={words}>
          {words}
        </span>
      )
    },
  },
  {
    key: 'group',
    header: 'Stands for',
    width: 'minmax(120px, 1fr)',
    cell: ({ group, name }) =>
      group === null ? (
        <span className="grey">none</span>
      ) : (
        <Link to="/o/$org/groups/$group" params={{ org, group: group.id }}>
          {group.name === name ? 'the group of that name' : <GroupName name={group.name} />}
        </Link>
      ),
  },
  {
    key: 'members',
    header: 'Members',
    width: '110px',
    align: 'end',
    sort: 'memberCount',
    cell: ({ memberCount, unknownMembersCount }) => (
      <>
        <Count of={memberCount} />
        {unknownMembersCount > 0 && <span className="grey"> +{unknownMembersCount} unknown</span>}
      </>
    ),
  },
  { key: 'at', header: 'Changed', width: '120px', sort: 'updatedAt', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
]
