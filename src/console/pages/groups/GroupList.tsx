import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type Group, groups, useCreateGroup } from '../../data/groups.ts'
import { Choose } from '../../parts/Choose.tsx'
import { type Column, DataTable } from '../../parts/DataTable.tsx'
import { Dialog } from '../../parts/Dialog.tsx'
import { Field, Fields } from '../../parts/Field.tsx'
import { Count, GroupName, Time } from '../../parts/figures.tsx'
import { ListPage, Total } from '../../parts/ListPage.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { SearchField } from '../../parts/SearchField.tsx'
import { Chip } from '../../parts/StateChip.tsx'
import { Empty, FailedLine } from '../../parts/states.tsx'
import { counted } from '../../parts/words.ts'

/** Every group of the organization: who manages it, its people, its access. */
export function GroupList() {
  const { org } = useParams({ from: '/o/$org/groups' })
  const search = useSearch({ from: '/o/$org/groups' })
  const navigate = useNavigate({ from: '/o/$org/groups' })
  const [total, setTotal] = useState<number>()
  const [isMaking, setMaking] = useState(false)
  const say = (next: Partial<typeof search>) => void navigate({ search: { ...search, ...next }, replace: true })
  return (
    <ListPage
      header={
        <PageHeader
          title="Groups"
          windowTitle={`Groups · ${org}`}
          actions={
            <Button leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>
              Make a group
            </Button>
          }
        />
      }
      tools={
        <>
          <SearchField value={search.q ?? ''} onChange={(q) => say({ q: q || undefined })} placeholder="Search groups" />
          <Choose
            label="Which"
            value={search.only}
            onChange={(only) => say({ only })}
            options={[
              ['', 'All groups'],
              ['protected', 'Protected'],
              ['default', 'Default access groups'],
            ]}
          />
          <Total>{total !== undefined && counted(total, 'group')}</Total>
        </>
      }
    >
      <DataTable
        label="Groups"
        list={groups({
          ...(search.q ? { search: search.q } : {}),
          ...(search.sort ? { sort: search.sort } : {}),
          ...(search.only === 'protected' ? { protected: true } : {}),
          ...(search.only === 'default' ? { defaultAccess: true } : {}),
        })}
        columns={columns(org)}
        idOf={({ id }) => id}
        onOpen={({ id }) => void navigate({ to: '/o/$org/groups/$group', params: { org, group: id } })}
        sort={search.sort ?? 'name'}
        onSort={(sort) => say({ sort })}
        onRows={(_, all) => setTotal(all)}
        empty={
          search.q || search.only ? (
            <Empty title="No group matches.">
              <button type="button" className="link" onClick={() => void navigate({ search: {} })}>
                Clear filters
              </button>
            </Empty>
          ) : (
            <Empty title="No group yet.">
              Make one, bring some in as CSV with «muster import», or connect a directory that pushes them.
            </Empty>
          )
        }
      />
      {isMaking && <MakeGroup org={org} onClose={() => setMaking(false)} />}
    </ListPage>
  )
}

const columns = (org: string): Column<Group>[] => [
  {
    key: 'name',
    header: 'Group',
    width: 'minmax(160px, 1.4fr)',
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
    width: 'minmax(110px, 0.8fr)',
    cell: ({ managedBy, pushedBy }) =>
      managedBy ? (
        <bdi className="cut">{managedBy.name}</bdi>
      ) : pushedBy ? (
        <span className="cut second">here; {pushedBy.name} pushes it, too</span>
      ) : (
        <span className="grey">here</span>
      ),
  },
  {
    key: 'members',
    header: 'Members',
    width: '100px',
    align: 'end',
    sort: 'members',
    cell: ({ memberCount }) => <Count of={memberCount} />,
  },
  {
    key: 'access',
    header: 'Accesses',
    width: '100px',
    align: 'end',
    sort: 'grants',
    cell: ({ grantCount }) => <Count of={grantCount} />,
  },
  {
    key: 'marks',
    header: 'Marks',
    width: 'minmax(120px, 0.8fr)',
    cell: ({ isDefaultAccess, isProtected }) => (
      <>
        {isDefaultAccess && <Chip>Default access</Chip>} {isProtected && <Chip tone="accent">Protected</Chip>}
      </>
    ),
  },
  { key: 'at', header: 'Changed', width: '120px', sort: 'updatedAt', cell: ({ updatedAt }) => <Time at={updatedAt} /> },
]

function MakeGroup({ org, onClose }: { org: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const create = useCreateGroup()
  const navigate = useNavigate()
  return (
    <Dialog
      title="Make a group"
      onClose={onClose}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="filled"
            disabled={name.trim() === ''}
            loading={create.isPending}
            onClick={() =>
              create.mutate(
                { name: name.trim(), ...(description.trim() ? { description: description.trim() } : {}) },
                { onSuccess: ({ id }) => void navigate({ to: '/o/$org/groups/$group', params: { org, group: id } }) },
              )
            }
          >
            Make the group
          </Button>
        </>
      }
    >
      <Fields>
        <Field label="Name">
          {(props) => (
            <input
              {...props}
              className="field"
              data-autofocus
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="What it is for">
          {(props) => (
            <input
              {...props}
              className="field"
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
          )}
        </Field>
      </Fields>
      <FailedLine error={create.error} />
    </Dialog>
  )
}
