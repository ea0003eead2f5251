import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type Asked, type Person, peopleOf, type Who } from '../../../data/reviews.ts'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { AccessName, Avatar } from '../../../parts/figures.tsx'
import { Empty } from '../../../parts/states.tsx'
import { number } from '../../../parts/words.ts'
import styles from './GroupPeople.module.css'

const whos: [Who, string][] = [
  ['losing', 'Removed, loses'],
  ['removed_losing_nothing', 'Removed, loses nothing'],
  ['gaining', 'Added, gains'],
  ['added_gaining_nothing', 'Added, gains nothing'],
  ['keeping', 'Keeps access through another group'],
  ['inactive', 'Inactive'],
]

/** Person by person: member or not, what is lost or gained, and through which other group access stays. */
export function GroupPeople({ org, dir, asked }: { org: string; dir: string; asked: Asked }) {
  const [who, setWho] = useState<Who>('all')
  const counts = useQueries({
    queries: whos.map(([value]) => {
      const list = peopleOf(dir, asked, value)
      return {
        queryKey: [...list.key, 'count'],
        queryFn: ({ signal }: { signal: AbortSignal }) => list.page({ offset: 0, limit: 1 }, signal),
      }
    }),
  })
  return (
    <>
      <fieldset className={styles.whos}>
        <legend className="unseen">Whom to show</legend>
        {whos.map(([value, label], at) => (
          <button
            key={value}
            type="button"
            aria-pressed={who === value}
            disabled={counts[at]?.data?.total === 0 && who !== value}
            onClick={() => setWho(who === value ? 'all' : value)}
          >
            {label} <span className="number">{counts[at]?.data ? number(counts[at].data.total) : '…'}</span>
          </button>
        ))}
      </fieldset>
      <DataTable
        label="People"
        list={peopleOf(dir, asked, who)}
        columns={columns(org)}
        idOf={({ person }) => person.id}
        empty={<Empty title={who === 'all' ? 'Nobody is added or removed.' : 'Nobody.'} />}
        card={{ height: 64, of: (row) => <PersonCard org={org} row={row} /> }}
      />
    </>
  )
}

const columns = (org: string): Column<Person>[] => [
  {
    key: 'person',
    header: 'Person',
    width: 'minmax(140px, 1fr)',
    cell: ({ person }) => <PersonName org={org} person={person} />,
  },
  { key: 'member', header: 'Member', width: '90px', cell: (row) => <MemberChange row={row} /> },
  { key: 'effect', header: 'Loses or gains', width: 'minmax(150px, 1.4fr)', cell: (row) => <What row={row} /> },
  { key: 'through', header: 'Keeps it through', width: 'minmax(150px, 1.4fr)', cell: (row) => <Through row={row} /> },
]

const PersonName = ({ org, person }: { org: string; person: Person['person'] }) => (
  <span className={styles.person}>
    <Avatar name={person.userName} />
    <Link to="/o/$org/people/$account" params={{ org, account: person.id }} className={styles.name}>
      <bdi>{person.userName}</bdi>
    </Link>
    {!person.active && <span className="small grey">inactive</span>}
  </span>
)

const MemberChange = ({ row: { groups } }: { row: Person }) => {
  const change = groups[0]?.change
  return change === 'removed' ? (
    <span className="lost">− removed</span>
  ) : change === 'added' ? (
    <span className="gained">+ added</span>
  ) : (
    <span className="grey">stays</span>
  )
}

const What = ({ row: { lost, gained } }: { row: Person }) => {
  const told = lost.length > 0 ? lost : gained
  const [first] = told
  if (first === undefined) return <span className="grey">nothing</span>
  return (
    <span className="cut" style={{ display: 'block' }}>
      <AccessName {...first} tone={lost.length > 0 ? 'lost' : 'gained'} />
      {told.length > 1 && <span className="grey"> +{told.length - 1} more</span>}
    </span>
  )
}

/** Amber where the other group's provider has dropped the person, too: it keeps the access only as long as its review waits. */
const Through = ({ row: { lost, gained, kept } }: { row: Person }) => {
  const [first] = kept
  if (first === undefined) {
    const still = lost[0]?.stillHas ?? []
    if (still.length > 0) return <span className="grey">still has {still.join(', ')} on the product</span>
    return (
      <span className="grey">
        {lost.length > 0 ? 'no other group gives it' : gained.length > 0 ? '' : 'the group gives no access'}
      </span>
    )
  }
  const fragile = first.through.every(({ alsoRemoves }) => alsoRemoves)
  return (
    <span className={`${styles.through} small`} data-fragile={fragile}>
      keeps {first.product} · {first.role} through{' '}
      <bdi className="strong">{first.through.map(({ name }) => name.split('/').at(-1)).join(', ')}</bdi>
      {fragile && ', whose own push drops them too'}
    </span>
  )
}

const PersonCard = ({ org, row }: { org: string; row: Person }) => (
  <div className={styles.card}>
    <PersonName org={org} person={row.person} />
    <span className="small cut">
      <MemberChange row={row} /> · <What row={row} />
    </span>
  </div>
)
