import { Button } from '@mantine/core'
import type { Effect } from '../data/reviews.ts'
import type { ReviewChanged } from '../data/sync.ts'
import styles from './Changed.module.css'
import { Dialog } from './Dialog.tsx'
import { ago, GroupName } from './figures.tsx'
import { counted, minus, number, plus } from './words.ts'

interface Props {
  changed: ReviewChanged
  was: Effect
  isBusy: boolean
  onClose: () => void
  onReviewAgain: () => void
  onLeaveOut?: () => void
  /** Offered where the change takes nothing more from anybody. */
  onContinue: () => void
}

/** What you reviewed is what you get: what is other now, before anything was done (console.md §4.3). */
export function Changed({ changed: { changed, effect }, was, isBusy, onClose, onReviewAgain, onLeaveOut, onContinue }: Props) {
  const takesMore = effect.access.lost > was.access.lost || effect.access.peopleLosing > was.access.peopleLosing
  const which = changed.length === 0 ? 'The review' : counted(changed.length, 'group')
  return (
    <Dialog
      size={600}
      tone="warning"
      title={`${which} changed while you were looking. Nothing was synced.`}
      lead="What you reviewed is what you get. These are the new figures."
      onClose={onClose}
      foot={
        <>
          {onLeaveOut && changed.length > 0 && effect.groups > changed.length && (
            <Button size="md" onClick={onLeaveOut}>
              Leave {changed.length === 1 ? 'it' : `these ${number(changed.length)}`} out
            </Button>
          )}
          {!takesMore && (
            <Button size="md" onClick={onContinue} loading={isBusy}>
              Continue with the new figures
            </Button>
          )}
          <Button size="md" variant="filled" data-autofocus onClick={onReviewAgain}>
            Review again
          </Button>
        </>
      }
    >
      {changed.length > 0 && (
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">What changed</th>
              <th scope="col">Was</th>
              <th scope="col">Is now</th>
            </tr>
          </thead>
          <tbody>
            {changed.slice(0, 8).map(({ group, what, by, at, before, after }) => (
              <tr key={group.id}>
                <th scope="row">
                  <GroupName name={group.name ?? group.id} />
                  <span className="small grey">
                    {whatWords[what]}
                    {by && at ? `, by ${by}, ${ago(at)}` : ''}
                  </span>
                </th>
                <td className="number">{before[part(what)] ? figures(before, what) : '–'}</td>
                <td className="number strong">
                  {after === null ? 'is gone' : what === 'state' ? after.state.replace('_', ' ') : figures(after, what)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className={styles.total}>
        <p className="strong">
          The effect is now {counted(effect.access.peopleLosing, 'person loses', 'people lose')} {number(effect.access.lost)}
        </p>
        <p className="second">
          It was {number(was.access.peopleLosing)} lose {number(was.access.lost)}. {number(effect.access.peopleGaining)} people
          gain {number(effect.access.gained)}.
        </p>
      </div>
    </Dialog>
  )
}

type What = ReviewChanged['changed'][number]['what']
const whatWords: Record<What, string> = {
  state: 'Its state is another',
  name: 'It was renamed',
  members: 'Its members are others',
  access: 'What it does to access is another',
  review: 'Its review is another',
}

const part = (what: What): 'members' | 'access' => (what === 'access' ? 'access' : 'members')

const figures = (
  of: { members?: { added: number; removed: number }; access?: { lost: number; gained: number } },
  what: What,
): string =>
  what === 'access' && of.access
    ? `${minus(of.access.lost)} ${plus(of.access.gained)}`
    : of.members
      ? `${plus(of.members.added)} ${minus(of.members.removed)}`
      : '–'
