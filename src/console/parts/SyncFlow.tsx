import { Button, Checkbox, Textarea, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowsSplit2, IconBan, IconCheck, IconClock, IconUsers } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { organization } from '../data/organization.ts'
import type { Asked, Effect } from '../data/reviews.ts'
import { type NewRun, type Run, useStartRun } from '../data/runs.ts'
import { reviewChanged } from '../data/sync.ts'
import { Changed } from './Changed.tsx'
import { Dialog, Line, Lines, Tiles } from './Dialog.tsx'
import { Gained, Lost } from './figures.tsx'
import { FailedLine } from './states.tsx'
import { counted, minus, number, plus } from './words.ts'

/** What somebody is about to sync: the selection, and the answer they looked at. */
export interface ToSync {
  asked: Asked
  effect: Effect
  /** The one group's name, where it is one. */
  name?: string | undefined
  /** Everything that needs review is meant. */
  isAll?: boolean
  reviewed: NewRun['reviewed']
}

interface Props {
  org: string
  directory: string
  given: ToSync
  onClose: () => void
  /** After a run of one group was asked for; runs of many lead to their page. */
  onSynced?: () => void
  onAsked?: () => void
  /** Takes groups out of the selection that changed meanwhile. */
  onLeaveOut?: (groups: string[]) => void
  onReviewAgain: () => void
}

/**
 * From «Sync» to a run. How much is asked goes by what it takes: nothing where nobody loses, the consequences where somebody
 * does, and the number of people typed where it is the worst (console.md §4.1).
 */
export function SyncFlow({ org, directory, given, onClose, onSynced, onAsked, onLeaveOut, onReviewAgain }: Props) {
  const navigate = useNavigate()
  const settings = useQuery(organization())
  const start = useStartRun(directory)
  const [effect, setEffect] = useState(given.effect)
  const [typed, setTyped] = useState('')
  const [note, setNote] = useState('')
  const [acceptIncomplete, setAcceptIncomplete] = useState(false)
  const [acceptEmpty, setAcceptEmpty] = useState(false)
  // One key an asking: a lost answer, asked again, is the same run.
  const key = useRef(crypto.randomUUID())
  const { access, members, warnings } = effect
  const groups = effect.groups
  const what = given.name && groups === 1 ? given.name : counted(groups, 'group')
  const warnedOf = (code: string) => warnings.find((warning) => warning.code === code)?.groups ?? 0
  const limit = settings.data?.approval.peopleLosing ?? null
  const needsApproval = limit !== null && access.peopleLosing > limit
  const isWorst =
    access.lost > 0 &&
    (access.leftWithNone > 0 ||
      warnedOf('last_admin') > 0 ||
      warnedOf('guard_passed') > 0 ||
      needsApproval ||
      given.isAll === true)
  // One that was pushed empty is left out of a run by itself, and the run's page offers it; of many that are filling nothing would be left.
  const isHarmless = access.lost === 0 && !needsApproval && warnedOf('filling') === 0 && (groups > 1 || warnedOf('empty') === 0)
  const changed = reviewChanged(start.error)

  const run = (also: Partial<NewRun> = {}) =>
    start.mutate(
      {
        key: key.current,
        ...given.asked,
        fingerprint: effect.fingerprint,
        effect: { groups: effect.groups, members: effect.members, access: effect.access },
        reviewed: given.reviewed,
        ...(acceptIncomplete ? { acceptIncomplete } : {}),
        ...(acceptEmpty ? { acceptEmpty } : {}),
        ...(note ? { note } : {}),
        ...also,
      },
      {
        onSuccess: (made) => {
          onClose()
          onAsked?.()
          if (groups > 1 || made.state === 'awaiting_approval')
            return void navigate({ to: '/o/$org/runs/$run', params: { org, run: made.id } })
          sayUndoable(org, made, what)
          onSynced?.()
        },
        onError: () => {
          key.current = crypto.randomUUID()
        },
      },
    )

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is opened
  useEffect(() => {
    if (isHarmless && settings.data !== undefined && start.isIdle) run()
  }, [settings.data])

  if (changed)
    return (
      <Changed
        changed={changed}
        was={given.effect}
        onClose={onClose}
        isBusy={start.isPending}
        onReviewAgain={() => {
          onClose()
          onReviewAgain()
        }}
        {...(onLeaveOut
          ? {
              onLeaveOut: () => {
                onClose()
                onLeaveOut(changed.changed.map(({ group }) => group.id))
              },
            }
          : {})}
        onContinue={() => {
          setEffect(changed.effect)
          run({ fingerprint: changed.fingerprint, effect: changed.effect })
        }}
      />
    )
  if (isHarmless && !start.isError) return null
  const deed = needsApproval ? 'Ask for approval' : groups === 1 ? 'Sync group' : `Sync ${number(groups)} groups`
  return (
    <Dialog
      onClose={onClose}
      title={
        access.lost > 0
          ? `Sync ${what} and take access from ${counted(access.peopleLosing, 'person', 'people')}?`
          : `Sync ${what}?`
      }
      foot={
        <>
          <Button size="md" onClick={onClose} data-autofocus={isWorst ? undefined : true}>
            Cancel
          </Button>
          <Button
            size="md"
            variant="filled"
            color={access.lost > 0 ? 'take' : undefined}
            disabled={isWorst && typed.trim() !== String(access.peopleLosing)}
            loading={start.isPending}
            onClick={() => run()}
          >
            {deed}
          </Button>
        </>
      }
    >
      <Tiles
        lost={
          <>
            <b>{minus(access.lost)}</b>
            accesses lost by {counted(access.peopleLosing, 'person', 'people')}
            {adminsOf(effect) > 0 && (
              <>
                <br />
                {number(adminsOf(effect))} of them admin
              </>
            )}
          </>
        }
        gained={
          <>
            <b>{plus(access.gained)}</b>
            accesses gained by {counted(access.peopleGaining, 'person', 'people')}
          </>
        }
      />
      <Lines>
        <Line
          icon={<IconUsers size={16} aria-hidden />}
          figure={
            <>
              <Gained count={members.added} /> <Lost count={members.removed} />
            </>
          }
        >
          {counted(members.added, 'member is', 'members are')} added, {number(members.removed)} removed
        </Line>
        {access.leftWithNone > 0 ? (
          <Line icon={<IconBan size={16} aria-hidden className="lost" />}>
            {counted(access.leftWithNone, 'person is', 'people are')} left with no access
          </Line>
        ) : (
          <Line icon={<IconCheck size={16} aria-hidden className="gained" />}>Nobody is left with no access</Line>
        )}
        {access.jointLosses > 0 && (
          <Line icon={<IconArrowsSplit2 size={16} aria-hidden className="lost" />}>
            {counted(access.jointLosses, 'access vanishes', 'accesses vanish')} only together, in no single review
          </Line>
        )}
        {effect.blocked > 0 && (
          <Line icon={<IconBan size={16} aria-hidden />}>
            {counted(effect.blocked, 'blocked group is', 'blocked groups are')} left out
          </Line>
        )}
      </Lines>
      {warnedOf('filling') > 0 && (
        <Checkbox
          checked={acceptIncomplete}
          onChange={(event) => setAcceptIncomplete(event.currentTarget.checked)}
          label={`Also ${counted(warnedOf('filling'), 'group')} that the provider is still filling; else ${warnedOf('filling') === 1 ? 'it is' : 'they are'} left out`}
        />
      )}
      {warnedOf('empty') > 0 && (
        <Checkbox
          checked={acceptEmpty}
          onChange={(event) => setAcceptEmpty(event.currentTarget.checked)}
          label={`Also ${counted(warnedOf('empty'), 'group')} pushed empty over members; else left out`}
        />
      )}
      {needsApproval && (
        <>
          <p>
            <IconClock size={14} aria-hidden /> Your organization lets a second person approve what takes access from more than{' '}
            {number(limit ?? 0)} people. It runs once somebody approved.
          </p>
          <Textarea
            label="Note for whoever approves"
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            autosize
            minRows={2}
          />
        </>
      )}
      <p className="second">
        {groups === 1 ? 'You can undo this until the group changes again.' : 'Each group can be undone until it changes again.'}
      </p>
      {isWorst && (
        <TextInput
          data-autofocus
          size="md"
          maw={220}
          label={
            <>
              Type <b>{access.peopleLosing}</b> to confirm
            </>
          }
          description="the people who lose access"
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && typed.trim() === String(access.peopleLosing)) run()
          }}
        />
      )}
      <FailedLine error={start.error} />
    </Dialog>
  )
}

const adminsOf = ({ matrix }: Effect): number =>
  matrix.filter(({ role }) => role === 'admin').reduce((sum, { lost }) => sum + lost, 0)

// A toast that stays: an undo that times out is none.
function sayUndoable(org: string, run: Run, what: string): void {
  notifications.show({
    id: run.id,
    title: `Syncing ${what}`,
    message: <a href={`/o/${org}/runs/${run.id}`}>See the run, or undo it</a>,
    withBorder: true,
  })
}
