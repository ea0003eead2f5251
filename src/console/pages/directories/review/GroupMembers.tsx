import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { type Member, reviewMembers } from '../../../data/reviews.ts'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { Empty } from '../../../parts/states.tsx'
import styles from './GroupMembers.module.css'

/** Who is in the group, and who would be: both lists beside each other. */
export function GroupMembers({ dir, group }: { dir: string; group: string }) {
  const [change, setChange] = useState<'changes' | 'all'>('changes')
  const [search, setSearch] = useState('')
  return (
    <>
      <div className={styles.tools}>
        <SegmentedControl
          size="xs"
          value={change}
          onChange={(value) => setChange(value as typeof change)}
          data={[
            { value: 'changes', label: 'Changes only' },
            { value: 'all', label: 'All' },
          ]}
        />
        <SearchField value={search} onChange={setSearch} placeholder="Search members" />
      </div>
      <DataTable
        label="Members"
        rowHeight={36}
        list={reviewMembers(dir, group, change, search)}
        columns={columns}
        idOf={({ id }) => id}
        empty={<Empty title={search ? 'Nobody matches.' : 'Nobody is added or removed.'} />}
      />
    </>
  )
}

const columns: Column<Member>[] = [
  { key: 'person', header: 'Person', width: 'minmax(0, 1fr)', cell: ({ userName }) => <bdi>{userName}</bdi> },
  {
    key: 'existing',
    header: 'Existing group',
    width: '150px',
    cell: ({ change }) =>
      change === 'added' ? (
        <span className="grey">–</span>
      ) : (
        <span className={change === 'removed' ? 'lost' : ''}>{change === 'removed' ? '− member, removed' : 'member'}</span>
      ),
  },
  {
    key: 'pushed',
    header: 'Pushed group',
    width: '150px',
    cell: ({ change }) =>
      change === 'removed' ? (
        <span className="grey">–</span>
      ) : (
        <span className={change === 'added' ? 'gained' : ''}>{change === 'added' ? '+ member, added' : 'member'}</span>
      ),
  },
]
