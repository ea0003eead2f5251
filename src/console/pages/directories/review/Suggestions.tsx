import { Button } from '@mantine/core'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type Suggestion, suggestions, useDecide } from '../../../data/suggestions.ts'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { Count, GroupName } from '../../../parts/figures.tsx'
import { ListPage } from '../../../parts/ListPage.tsx'
import { PageHeader } from '../../../parts/PageHeader.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { Empty, FailedLine } from '../../../parts/states.tsx'
import styles from './Suggestions.module.css'

/** Pushed groups that may be existing ones of other names: linked for review, or remembered as not the same. */
export function Suggestions() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/review/suggestions' })
  const { q, sort = '-members' } = useSearch({ from: '/o/$org/directories/$dir/review/suggestions' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/review/suggestions' })
  const decide = useDecide(dir)
  return (
    <ListPage
      header={
        <PageHeader
          title="Suggestions"
          windowTitle={`Suggestions · ${dir} · ${org}`}
          trail={[
            <Link key="one" to="/o/$org/directories/$dir" params={{ org, dir }}>
              {dir}
            </Link>,
            <Link key="list" to="/o/$org/directories/$dir/review" params={{ org, dir }}>
              Review
            </Link>,
          ]}
        >
          <p className="second">
            Groups with alike names, or whose members overlap by half at least. Linking changes nothing yet: it makes the pair a
            review.
          </p>
        </PageHeader>
      }
      tools={
        <>
          <SearchField
            value={q ?? ''}
            onChange={(next) => void navigate({ search: { sort, ...(next ? { q: next } : {}) }, replace: true })}
            placeholder="Search groups"
          />
          <FailedLine error={decide.error} />
        </>
      }
    >
      <DataTable
        label="Suggestions"
        list={suggestions(dir, { sort, ...(q ? { search: q } : {}) })}
        columns={columns((suggestion, isSame) => decide.mutate({ suggestion, isSame }), decide.isPending)}
        idOf={({ group, existing }) => `${group.id} ${existing.id}`}
        rowHeight={52}
        sort={sort}
        onSort={(next) => void navigate({ search: { q, sort: next }, replace: true })}
        empty={
          <Empty title={q ? 'No suggestion matches.' : 'No suggestion.'}>
            {!q && 'No pushed group looks like an existing one of another name.'}
          </Empty>
        }
      />
    </ListPage>
  )
}

const alike = { looks_the_same: 'looks the same', says_the_same: 'says the same', nearly_the_same: 'nearly the same' }

const columns = (decide: (suggestion: Suggestion, isSame: boolean) => void, isBusy: boolean): Column<Suggestion>[] => [
  {
    key: 'pushed',
    header: 'Pushed group',
    width: 'minmax(140px, 1fr)',
    sort: 'name',
    first: 'up',
    cell: ({ group }) => (
      <span className={styles.two}>
        <GroupName name={group.name} />
        <span className="small grey">
          <Count of={group.memberCount} /> members
        </span>
      </span>
    ),
  },
  {
    key: 'existing',
    header: 'May be the existing one',
    width: 'minmax(140px, 1fr)',
    sort: 'existing',
    first: 'up',
    cell: ({ existing }) => (
      <span className={styles.two}>
        <GroupName name={existing.name} />
        <span className="small grey">
          <Count of={existing.memberCount} /> members, gives <Count of={existing.grantCount} />{' '}
          {existing.grantCount === 1 ? 'access' : 'accesses'}
        </span>
      </span>
    ),
  },
  {
    key: 'names',
    header: 'Names',
    width: '110px',
    cell: ({ names }) => (names ? alike[names] : <span className="grey">differ</span>),
  },
  {
    key: 'members',
    header: 'Members',
    width: '110px',
    align: 'end',
    sort: 'members',
    cell: ({ members, group, existing }) => (
      <span className={styles.two}>
        <b className="strong number">{members.jaccard.toFixed(2)}</b>
        <span className="small grey number">
          {members.common} of {group.memberCount + existing.memberCount - members.common}
        </span>
      </span>
    ),
  },
  {
    key: 'decide',
    header: <span className="unseen">Decide</span>,
    width: '250px',
    align: 'end',
    cell: (row) => (
      <span className={styles.buttons}>
        <Button size="xs" disabled={isBusy} onClick={() => decide(row, true)} aria-label={`Link for review: ${row.group.name}`}>
          Link for review
        </Button>
        <Button size="xs" disabled={isBusy} onClick={() => decide(row, false)} aria-label={`Not the same: ${row.group.name}`}>
          Not the same
        </Button>
      </span>
    ),
  },
]
