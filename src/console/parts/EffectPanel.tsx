import { IconAlertTriangle, IconArrowsSplit2, IconCheck } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ListOf } from '../data/list.ts'
import type { Effect, Person, Who } from '../data/reviews.ts'
import { DataTable } from './DataTable.tsx'
import styles from './EffectPanel.module.css'
import { AccessName, Avatar, EffectSentence, Gained, Lost } from './figures.tsx'
import { Matrix } from './Matrix.tsx'
import { Empty } from './states.tsx'
import { Tabs } from './Tabs.tsx'
import { counted, number, warningWords } from './words.ts'

/** What of an effect the panel tells. */
export type ToldEffect = Pick<Effect, 'access' | 'matrix' | 'warnings' | 'jointLosses'>

interface Props {
  /** «2 groups selected. Synced together,» */
  lead: ReactNode
  effect: ToldEffect
  /** Figures of a moment ago: greyed, never blank. */
  isOld?: boolean
  /** The people whom it touches. */
  people?: (who: Who) => ListOf<Person>
  onPick?: (of: { site?: string; role?: string }) => void
  onWarning?: (code: string) => void
  /** Takes the groups out that lose together what none takes alone. */
  onTakeOut?: (groups: string[]) => void
  /** «Take these 6 groups out» is shown where something is selected. */
  children?: ReactNode
}

const whos: [Who, string, (effect: ToldEffect) => number][] = [
  ['losing', 'Lose', ({ access }) => access.peopleLosing],
  ['gaining', 'Gain', ({ access }) => access.peopleGaining],
  ['joint', 'Joint losses', ({ jointLosses }) => jointLosses.accesses],
  ['left_with_none', 'Left with nothing', ({ access }) => access.leftWithNone],
]

/** What would happen, to whom; the same in the list, in a group, for a run and an undo. */
export function EffectPanel({ lead, effect, isOld = false, people, onPick, onWarning, onTakeOut, children }: Props) {
  const [who, setWho] = useState<Who>('losing')
  const { access, matrix, warnings, jointLosses } = effect
  return (
    <div className={styles.panel} data-old={isOld} aria-busy={isOld}>
      <div className={styles.head} aria-live="polite">
        <p className="second">{lead}</p>
        <p className={styles.sentence}>
          <EffectSentence {...access} />
        </p>
        {access.leftWithNone === 0 ? (
          <p className={styles.fine}>
            <IconCheck size={16} aria-hidden className="gained" /> Nobody is left with no access.
          </p>
        ) : (
          <p className={`${styles.fine} lost`}>
            <IconAlertTriangle size={16} aria-hidden /> {counted(access.leftWithNone, 'person is', 'people are')} left with no
            access.
          </p>
        )}
      </div>
      {jointLosses.accesses > 0 && jointLosses.groups.length <= 3 && (
        <div className={styles.joint}>
          <IconArrowsSplit2 size={17} aria-hidden />
          <div>
            <p className="strong">
              {counted(jointLosses.accesses, 'access looks', 'accesses look')} safe group by group but{' '}
              {jointLosses.accesses === 1 ? 'vanishes' : 'vanish'} together.
            </p>
            <p>These groups keep each other’s access alive, and all of them drop the same people.</p>
            <button type="button" className={styles.under} onClick={() => setWho('joint')}>
              Show
            </button>
            {onTakeOut && (
              <button type="button" className={styles.under} onClick={() => onTakeOut(jointLosses.groups)}>
                Take these {number(jointLosses.groups.length)} groups out
              </button>
            )}
          </div>
        </div>
      )}
      {matrix.length > 0 && (
        <div className={styles.part}>
          <Matrix cells={matrix} {...(onPick ? { onPick } : {})} />
        </div>
      )}
      {(warnings.length > 0 || jointLosses.groups.length > 3) && (
        <ul className={styles.part} aria-label="Warnings">
          {jointLosses.groups.length > 3 && (
            <li className={`${styles.warning} lost`}>
              <IconArrowsSplit2 size={16} aria-hidden />
              <span>{counted(jointLosses.accesses, 'access vanishes', 'accesses vanish')} only together</span>
              <button
                type="button"
                className="link"
                onClick={() => (onTakeOut ? onTakeOut(jointLosses.groups) : setWho('joint'))}
              >
                {onTakeOut ? `Take these ${number(jointLosses.groups.length)} out` : 'Show'}
              </button>
            </li>
          )}
          {warnings.map(({ code, groups, percent = 25 }) => {
            const [one, more] = warningWords[code] ?? [code, code, code]
            return (
              <li key={code} className={styles.warning}>
                <IconAlertTriangle size={16} aria-hidden />
                <span>
                  {number(groups)} {(groups === 1 ? one : more).replace('25 %', `${percent} %`)}
                </span>
                {onWarning && (
                  <button type="button" className="link" onClick={() => onWarning(code)} aria-label={`Show what ${one}`}>
                    Show
                  </button>
                )}
              </li>
            )
          })}
        </ul>
      )}
      {children}
      {people && (access.peopleLosing > 0 || access.peopleGaining > 0) && (
        <div className={styles.people}>
          <Tabs
            label="People"
            value={who}
            onChange={setWho}
            tabs={whos.map(([value, label, count]) => ({ value, label, count: count(effect) }))}
          />
          <DataTable
            label={`People: ${who.replaceAll('_', ' ')}`}
            list={people(who)}
            idOf={({ person }) => person.id}
            rowHeight={52}
            columns={[
              { key: 'person', header: 'Person', width: 'minmax(0, 1fr)', cell: (row) => <PersonLine {...row} /> },
              {
                key: 'figures',
                header: 'Accesses',
                width: 'max-content',
                align: 'end',
                cell: ({ lost, gained }) => (
                  <>
                    {lost.length > 0 && <Lost count={lost.length} />} {gained.length > 0 && <Gained count={gained.length} />}
                  </>
                ),
              },
            ]}
            empty={<Empty title="Nobody." />}
          />
        </div>
      )}
    </div>
  )
}

/** A person and the first of what is lost or gained; what else on the same product stays. */
function PersonLine({ person, lost, gained }: Person) {
  const told = lost.length > 0 ? lost : gained
  const [first] = told
  const stays = lost[0]?.stillHas ?? []
  return (
    <span className={styles.person}>
      <Avatar name={person.userName} />
      <span className="cut">
        <bdi className={styles.name}>{person.userName}</bdi>
        <span className={`${styles.what} cut small`}>
          {first && (
            <>
              {lost.length > 0 ? 'loses ' : 'gains '}
              <AccessName
                {...first}
                site={told.length === 1 && stays.length > 0 ? undefined : first.site}
                tone={lost.length > 0 ? 'lost' : 'gained'}
              />
              {told.length > 1 && ` +${told.length - 1} more`}
              {told.length === 1 && stays.length > 0 && <span className="grey"> · still has {stays.join(', ')}</span>}
            </>
          )}
        </span>
      </span>
    </span>
  )
}
