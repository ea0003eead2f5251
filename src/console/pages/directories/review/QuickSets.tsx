import { useQuery } from '@tanstack/react-query'
import { effectOf, type Preset, presetOf } from '../../../data/reviews.ts'
import { pickAll, pickIds, pickNothing, usePicked } from '../../../data/selection.ts'
import { Gained, Lost } from '../../../parts/figures.tsx'
import { counted, number } from '../../../parts/words.ts'
import styles from './QuickSets.module.css'

const sets: [Preset | 'takes', string][] = [
  ['no_member_change', 'No member change'],
  ['no_access_effect', 'No access effect'],
  ['takes_nothing', 'Takes nothing'],
  ['takes', 'Takes access'],
  ['all', 'All'],
]

/** The sets one can take at once, each with what it would do *together*. A press ticks it, another one unticks it. */
export function QuickSets({ directory }: { directory: string }) {
  return (
    <fieldset className={styles.sets}>
      <legend className="unseen">Quick sets: each ticks its groups</legend>
      {sets.map(([set, label]) => (
        <QuickSet key={set} directory={directory} set={set} label={label} />
      ))}
    </fieldset>
  )
}

function QuickSet({ directory, set, label }: { directory: string; set: Preset | 'takes'; label: string }) {
  const picked = usePicked(directory)
  const computed = useQuery({ ...presetOf(directory, set === 'takes' ? 'all' : set), enabled: set !== 'takes' })
  // Not a set that is harmless together: what takes something alone.
  const taking = useQuery({
    ...effectOf(directory, { selection: { mode: 'filter', filter: { effect: 'takes' } }, defaultChoice: 'overwrite' }),
    enabled: set === 'takes',
  })
  const effect = set === 'takes' ? taking.data : computed.data?.effect
  const count = set === 'takes' ? taking.data?.groups : computed.data?.groups
  const isPressed = picked.preset === set
  const press = () => {
    if (isPressed) return pickNothing(directory)
    if (set === 'takes') return pickAll(directory, { effect: 'takes' }, set)
    if (set === 'all') return pickAll(directory, {}, set)
    const selection = computed.data?.selection
    if (selection?.mode === 'ids') pickIds(directory, selection.ids, set)
  }
  return (
    <button type="button" className={styles.set} aria-pressed={isPressed} onClick={press} disabled={!count}>
      <span className={styles.line}>
        <span className={styles.figure}>{count === undefined ? '…' : number(count)}</span> {label}
      </span>
      <span className={`${styles.consequence} small`}>
        {effect === undefined ? (
          ' '
        ) : set === 'no_member_change' ? (
          'links the group, changes nothing else'
        ) : (
          <>
            <Lost count={effect.access.lost} /> <Gained count={effect.access.gained} />{' '}
            <span className={styles.wide}>accesses, </span>
            {effect.access.peopleLosing === 0
              ? 'nobody loses'
              : counted(effect.access.peopleLosing, 'person loses', 'people lose')}
          </>
        )}
      </span>
    </button>
  )
}
