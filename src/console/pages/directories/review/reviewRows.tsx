import { Checkbox, Tooltip } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconEye } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { Choice, Review } from '../../../data/reviews.ts'
import { choiceOf, isPicked, type Picked } from '../../../data/selection.ts'
import type { Column } from '../../../parts/DataTable.tsx'
import { AccessName, Gained, GroupName, Lost, OverlapBar } from '../../../parts/figures.tsx'
import { choiceWords, number, reasonWords, warningWords } from '../../../parts/words.ts'
import styles from './reviewRows.module.css'

interface Place {
  org: string
  dir: string
  search: Record<string, string | undefined>
  picked: Picked
}

interface Given extends Place {
  /** Blocked ones have no checkbox: they say what to do. */
  isBlocked: boolean
  /** Members of the largest group shown: the scale of the bars. */
  most: number
  loaded: Review[]
  /** Groups that lose together what none takes alone. */
  joint: ReadonlySet<string>
  onTick: (row: Review, isTicked: boolean) => void
  onTickAll: (isTicked: boolean) => void
  onChoose: (row: Review, choice: Choice) => void
  onViewed: (row: Review) => void
}

const choices = ['overwrite', 'merge', 'rename_existing', 'ignore'] as const

/** Name, access, members, added and removed as these users know them, in that order; all else right of it. */
export function reviewColumns(given: Given): Column<Review>[] {
  const { picked, loaded } = given
  const ticked = loaded.filter(({ group }) => isPicked(picked, group.id)).length
  const tickColumn: Column<Review> = {
    key: 'tick',
    width: '26px',
    header: (
      <Checkbox
        aria-label="Select all on this page"
        checked={ticked > 0 && ticked === loaded.length}
        indeterminate={ticked > 0 && ticked < loaded.length}
        onChange={(event) => given.onTickAll(event.currentTarget.checked)}
      />
    ),
    cell: (row) =>
      row.can.includes('sync') && (
        <Checkbox
          aria-label={`Select ${row.group.name}`}
          checked={isPicked(picked, row.group.id)}
          onChange={(event) => given.onTick(row, event.currentTarget.checked)}
        />
      ),
  }
  const facts: Column<Review>[] = [
    {
      key: 'group',
      header: 'Group',
      width: 'minmax(0, 1fr)',
      sort: 'name',
      first: 'up',
      cell: (row) => <Name row={row} place={given} />,
    },
    { key: 'access', header: 'Product access · site', width: '148px', cell: (row) => <Access row={row} /> },
    {
      key: 'members',
      header: 'Members',
      width: given.isBlocked ? '140px' : '116px',
      sort: 'removed',
      cell: (row) => <Members row={row} most={given.most} />,
    },
    {
      key: 'effect',
      header: 'Access effect',
      width: '92px',
      align: 'end',
      sort: 'lost',
      cell: (row) => <EffectAlone row={row} isJoint={given.joint.has(row.group.id)} />,
    },
    {
      key: 'warnings',
      header: (
        <>
          <IconAlertTriangle size={15} aria-hidden />
          <span className="unseen">Warnings</span>
        </>
      ),
      width: '22px',
      cell: (row) => <Warnings row={row} />,
    },
  ]
  if (given.isBlocked)
    return [
      ...facts.slice(0, 3),
      {
        key: 'why',
        header: 'What to do',
        width: 'minmax(0, 1.2fr)',
        cell: (row) => <span className={styles.why}>{whyNot(row)}</span>,
      },
    ]
  return [
    tickColumn,
    ...facts,
    {
      key: 'choice',
      header: (
        <span className={styles.choiceHead}>
          Choice <IconEye size={15} aria-label="Viewed" />
        </span>
      ),
      width: '126px',
      cell: (row) => (
        <span className={styles.choice}>
          <ChoiceOf row={row} picked={picked} onChoose={(choice) => given.onChoose(row, choice)} />
          <button
            type="button"
            className={styles.viewed}
            aria-pressed={row.viewed}
            aria-label={`Viewed ${row.group.name}`}
            onClick={() => given.onViewed(row)}
          >
            {row.viewed ? (
              <IconCircleCheck size={17} stroke={1.75} aria-hidden />
            ) : (
              <IconCircleDashed size={17} stroke={1.75} aria-hidden />
            )}
          </button>
        </span>
      ),
    },
  ]
}

function Name({ row, place: { org, dir, search } }: { row: Review; place: Place }) {
  return (
    <span className={styles.two}>
      <Link
        to="/o/$org/directories/$dir/review/$pgroup"
        params={{ org, dir, pgroup: row.group.id }}
        search={search}
        className={styles.name}
      >
        <GroupName name={row.group.name} />
      </Link>
      <span className="small grey cut">{about(row)}</span>
    </span>
  )
}

const about = ({ existing, reasons }: Review): string =>
  existing?.description ||
  (reasons[0] === 'name_taken'
    ? `exists with ${number(existing?.memberCount ?? 0)} members`
    : reasons.map((reason) => reasonWords[reason] ?? reason).join(' · '))

const Access = ({ row: { productAccess } }: { row: Review }) => {
  const [first, ...more] = productAccess
  if (first === undefined) return <span className="grey">none</span>
  return (
    <span className={styles.two}>
      <span className={styles.access} title={`${first.site} · ${first.product} · ${first.role}`}>
        <span className="cut">{first.product}</span>
        <span> · {first.role}</span>
      </span>
      <span className={`${styles.access} small grey`}>
        <span className="cut">{first.site}</span>
        {more.length > 0 && (
          <Tooltip
            label={
              <>
                {productAccess.slice(0, 12).map((access) => (
                  <div key={`${access.site}/${access.product}/${access.role}`}>
                    <AccessName {...access} />
                  </div>
                ))}
                {productAccess.length > 12 && `and ${productAccess.length - 12} more`}
              </>
            }
          >
            <span tabIndex={0} className={styles.more}>
              +{more.length} more
            </span>
          </Tooltip>
        )}
      </span>
    </span>
  )
}

const Members = ({ row: { members }, most }: { row: Review; most: number }) => (
  <span className={styles.two}>
    <OverlapBar {...members} most={most} />
    <span className="small number">
      <Gained count={members.added} /> <Lost count={members.removed} />{' '}
      <span className="second">· {number(members.unchanged)} stay</span>
    </span>
  </span>
)

const EffectAlone = ({ row: { access }, isJoint }: { row: Review; isJoint: boolean }) => (
  <span className={styles.two}>
    <span>
      <Lost count={access.peopleLosing} /> <Gained count={access.peopleGaining} />
    </span>
    {isJoint ? <span className="small lost">more together</span> : <span className="small grey">people</span>}
  </span>
)

const Warnings = ({ row: { warnings } }: { row: Review }) =>
  warnings.length === 0 ? null : (
    <Tooltip label={warnings.map(({ code }) => <div key={code}>{warningWords[code]?.[2] ?? code}</div>)}>
      <span
        tabIndex={0}
        className={styles.warnings}
        role="img"
        aria-label={warnings.map(({ code }) => warningWords[code]?.[2] ?? code).join(', ')}
      >
        {warnings.length}
      </span>
    </Tooltip>
  )

const ChoiceOf = ({ row, picked, onChoose }: { row: Review; picked: Picked; onChoose: (choice: Choice) => void }) => (
  <select
    className="choose"
    aria-label={`Choice for ${row.group.name}`}
    value={choiceOf(picked, row.group.id)}
    disabled={!row.can.includes('sync')}
    onChange={(event) => onChoose(event.currentTarget.value as Choice)}
  >
    {choices.map((choice) => (
      <option key={choice} value={choice}>
        {choiceWords[choice]}
      </option>
    ))}
  </select>
)

const whyNot = ({ reasons, cannot }: Review): string =>
  reasons
    .map((reason) => reasonWords[reason])
    .filter((known) => known !== undefined)
    .join(' ') ||
  (cannot[0]?.why ?? '')

/** Below 768 px: the columns below each other, in their order. */
export function ReviewCard({
  row,
  onTick,
  onChoose,
  ...place
}: Place & { row: Review; onTick: (isTicked: boolean) => void; onChoose: (choice: Choice) => void }) {
  const [first] = row.productAccess
  return (
    <div className={styles.card}>
      {row.can.includes('sync') ? (
        <Checkbox
          aria-label={`Select ${row.group.name}`}
          checked={isPicked(place.picked, row.group.id)}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      ) : (
        <span />
      )}
      <div className={styles.facts}>
        <Link
          to="/o/$org/directories/$dir/review/$pgroup"
          params={{ org: place.org, dir: place.dir, pgroup: row.group.id }}
          search={place.search}
          className={styles.name}
        >
          <GroupName name={row.group.name} />
        </Link>
        <span className="cut second">
          {first ? <AccessName {...first} /> : 'no product access'}
          {row.productAccess.length > 1 && ` +${row.productAccess.length - 1} more`}
        </span>
        <span className={styles.inline}>
          <OverlapBar {...row.members} most={row.members.added + row.members.removed + row.members.unchanged} />
          <span className="number">
            <Gained count={row.members.added} /> <Lost count={row.members.removed} />{' '}
            <span className="second">· {number(row.members.unchanged)} stay</span>
          </span>
        </span>
        <span className={styles.inline}>
          <span>
            <span className="second">alone</span> <Lost count={row.access.peopleLosing} />{' '}
            <Gained count={row.access.peopleGaining} /> <span className="second">people</span>
          </span>
          <ChoiceOf row={row} picked={place.picked} onChoose={onChoose} />
        </span>
      </div>
    </div>
  )
}
