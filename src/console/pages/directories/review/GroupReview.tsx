import { Button, Checkbox, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertTriangle, IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { answer, api, cache } from '../../../data/api.ts'
import { groupHistory } from '../../../data/history.ts'
import { type Asked, type Choice, effectOf, type Review, reviewOf, useViewed } from '../../../data/reviews.ts'
import { useMayNotReview } from '../../../data/session.ts'
import { reviewedIn } from '../../../data/sync.ts'
import { EffectPanel } from '../../../parts/EffectPanel.tsx'
import { AccessName, Gained, GroupName, Lost, OverlapBar, Time } from '../../../parts/figures.tsx'
import { History } from '../../../parts/History.tsx'
import { useKeys } from '../../../parts/keys.ts'
import { PageHeader } from '../../../parts/PageHeader.tsx'
import { Chip, StateChip } from '../../../parts/StateChip.tsx'
import type { ToSync } from '../../../parts/SyncFlow.tsx'
import { Failed, FailedLine, Waiting } from '../../../parts/states.tsx'
import { Tabs } from '../../../parts/Tabs.tsx'
import { counted, number, reasonWords, warningWords } from '../../../parts/words.ts'
import { ChoiceCards } from './ChoiceCards.tsx'
import { GroupGrants } from './GroupGrants.tsx'
import { GroupMembers } from './GroupMembers.tsx'
import { GroupPeople } from './GroupPeople.tsx'
import styles from './GroupReview.module.css'
import { useNeighbours } from './neighbours.ts'

const SyncFlow = lazy(() => import('../../../parts/SyncFlow.tsx').then((file) => ({ default: file.SyncFlow })))

type Tab = 'people' | 'members' | 'access' | 'history'

/** One group: the four choices with their figures, then the evidence person by person, and the deed at the bottom right. */
export function GroupReview() {
  const { org, dir, pgroup } = useParams({ from: '/o/$org/directories/$dir/review/$pgroup' })
  const search = useSearch({ from: '/o/$org/directories/$dir/review/$pgroup' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/review/$pgroup' })
  const review = useQuery(reviewOf(dir, pgroup))
  const [choice, setChoice] = useState<Choice>('overwrite')
  const [newName, setNewName] = useState<string>()
  const [toSync, setToSync] = useState<ToSync>()
  const viewed = useViewed(dir)
  const mayNot = useMayNotReview()
  const isWide = useMediaQuery('(min-width: 1280px)') ?? true
  // biome-ignore lint/correctness/useExhaustiveDependencies: each group begins with the usual choice
  useEffect(() => {
    setChoice('overwrite')
    setNewName(undefined)
  }, [pgroup])
  const asked: Asked = {
    selection: { mode: 'ids', ids: [pgroup] },
    defaultChoice: choice,
    ...(choice === 'rename_existing' && newName ? { newNames: { [pgroup]: newName } } : {}),
  }
  const canSync = review.data?.can.includes('sync') ?? false
  const effect = useQuery({ ...effectOf(dir, asked), enabled: canSync })
  const { tab = 'people', ...listSearch } = search
  const neighbours = useNeighbours(dir, pgroup, listSearch)
  const go = (group: string | undefined) =>
    group !== undefined &&
    void navigate({ to: '/o/$org/directories/$dir/review/$pgroup', params: { org, dir, pgroup: group }, search })
  const back = () => void navigate({ to: '/o/$org/directories/$dir/review', params: { org, dir }, search: listSearch })
  const mark = (isViewed: boolean) =>
    review.data && viewed.mutate({ group: pgroup, fingerprint: isViewed ? review.data.fingerprint : null })
  const sync = (as: Choice = choice) => {
    if (mayNot || !review.data || !effect.data || effect.isPlaceholderData) return
    if (as === 'ignore' && choice !== 'ignore') return setChoice('ignore')
    setToSync({ asked, effect: effect.data, name: review.data.group.name, reviewed: reviewedIn(dir, (id) => id === pgroup) })
  }
  useKeys({
    Escape: back,
    '[': () => go(neighbours.previous),
    ']': () => go(neighbours.next),
    v: () => mark(!review.data?.viewed),
    s: () => sync(),
    '1': () => setChoice('overwrite'),
    '2': () => setChoice('merge'),
    '3': () => setChoice('rename_existing'),
    '4': () => setChoice('ignore'),
  })
  if (review.isError)
    return <Failed error={review.error} what="The group could not be loaded" retry={() => void review.refetch()} />
  if (!review.data) return <Waiting lines={10} />
  const { group, existing, state, members, productAccess, warnings } = review.data
  const deed =
    choice === 'ignore'
      ? 'Ignore group'
      : choice === 'merge'
        ? 'Merge group'
        : choice === 'rename_existing'
          ? 'Rename and sync'
          : 'Sync group'
  const panel = effect.data && (
    <EffectPanel lead={leads[choice] ?? 'This group alone:'} effect={effect.data} isOld={effect.isPlaceholderData}>
      {choice === 'overwrite' && (
        <section className={styles.know}>
          <h2>If you sync</h2>
          <ul>
            <li>The group is linked to {dir} and managed there.</li>
            <li>Later additions apply at once, removals as the guard allows.</li>
            <li>You can undo it until it changes again.</li>
          </ul>
        </section>
      )}
    </EffectPanel>
  )
  return (
    <div className={styles.page}>
      <div className={styles.column}>
        <div className={styles.scroll}>
          <div className={styles.header}>
            <PageHeader
              title={<GroupName name={group.name} long />}
              windowTitle={`${group.name} · Review · ${dir} · ${org}`}
              trail={[
                <Link key="all" to="/o/$org/directories" params={{ org }}>
                  Directories
                </Link>,
                <Link key="one" to="/o/$org/directories/$dir" params={{ org, dir }}>
                  {dir}
                </Link>,
                <Link key="list" to="/o/$org/directories/$dir/review" params={{ org, dir }} search={listSearch}>
                  Review
                </Link>,
              ]}
              beside={
                <>
                  <StateChip state={state} />
                  {warnings.map(({ code, count }) => (
                    <Chip key={code} tone="warning" icon={<IconAlertTriangle size={13} aria-hidden />}>
                      {warningText(code, count, review.data)}
                    </Chip>
                  ))}
                </>
              }
            >
              {existing?.description && <p className={styles.about}>{existing.description}</p>}
              <div className={styles.facts}>
                <span>
                  <span className="grey">Access</span> {productAccess[0] ? <AccessName {...productAccess[0]} /> : 'none'}
                  {productAccess.length > 1 && <span className="grey"> +{productAccess.length - 1} more</span>}
                </span>
                <span className={styles.members}>
                  <span className="grey">Members</span>
                  <OverlapBar {...members} most={members.added + members.removed + members.unchanged} />
                  <span className="number">
                    <Gained count={members.added} /> <Lost count={members.removed} /> · {number(members.unchanged)} stay
                  </span>
                </span>
                <span className="grey">
                  Pushed by {dir} <Time at={review.data.pushedAt} />
                </span>
              </div>
            </PageHeader>
          </div>
          {canSync ? (
            <ChoiceCards directory={dir} review={review.data} choice={choice} onChoose={setChoice} />
          ) : (
            <NotToSync review={review.data} org={org} dir={dir} />
          )}
          {choice === 'rename_existing' && canSync && (
            <div className={styles.rename}>
              <TextInput
                label="What the existing group is called after"
                description={`It keeps its ${counted(existing?.memberCount ?? 0, 'member')} and its access. The pushed group takes the old name, with no access.`}
                placeholder="A free name like its own"
                value={newName ?? ''}
                onChange={(event) => setNewName(event.currentTarget.value || undefined)}
                maw={420}
              />
              <FailedLine error={effect.error} />
            </div>
          )}
          {!isWide && panel && <div className={styles.inline}>{panel}</div>}
          <Tabs<Tab>
            label="The group"
            value={tab as Tab}
            onChange={(next) =>
              void navigate({ search: { ...search, tab: next === 'people' ? undefined : next }, replace: true })
            }
            tabs={[
              { value: 'people', label: 'People', count: members.added + members.removed },
              { value: 'members', label: 'Members' },
              { value: 'access', label: 'Access', count: productAccess.length },
              { value: 'history', label: 'History' },
            ]}
          />
          <div className={styles.evidence}>
            {tab === 'people' && <GroupPeople org={org} dir={dir} asked={asked} />}
            {tab === 'members' && <GroupMembers dir={dir} group={pgroup} />}
            {tab === 'access' && <GroupGrants dir={dir} group={pgroup} />}
            {tab === 'history' && <History org={org} of={groupHistory(existing?.id ?? group.name)} />}
          </div>
        </div>
        <footer className={styles.foot}>
          <Checkbox label="Viewed" checked={review.data.viewed} onChange={(event) => mark(event.currentTarget.checked)} />
          <Button
            leftSection={<IconChevronLeft size={16} aria-hidden />}
            disabled={!neighbours.previous}
            onClick={() => go(neighbours.previous)}
          >
            Previous
          </Button>
          <Button
            rightSection={<IconChevronRight size={16} aria-hidden />}
            disabled={!neighbours.next}
            onClick={() => go(neighbours.next)}
          >
            Next
          </Button>
          <span className={`${styles.place} second`}>
            {neighbours.place !== undefined && `${number(neighbours.place + 1)} of ${number(neighbours.total)}`}
          </span>
          <span className={styles.deeds}>
            {effect.data && (
              <span className={styles.two}>
                <Lost count={effect.data.access.lost} /> <Gained count={effect.data.access.gained} />{' '}
                <span className="small grey">accesses</span>
              </span>
            )}
            {mayNot && <span className="small grey">{mayNot}</span>}
            {choice !== 'ignore' && canSync && !mayNot && (
              <Button size="md" onClick={() => setChoice('ignore')}>
                Ignore
              </Button>
            )}
            <Button
              size="md"
              variant="filled"
              color={effect.data && effect.data.access.lost > 0 ? 'take' : undefined}
              disabled={mayNot !== undefined || !canSync || !effect.data || effect.isPlaceholderData}
              onClick={() => sync()}
            >
              {deed}
            </Button>
          </span>
        </footer>
      </div>
      {isWide && (
        <aside className={styles.panel} aria-label="Effect">
          {panel ?? (canSync && <Waiting />)}
        </aside>
      )}
      {toSync && (
        <Suspense>
          <SyncFlow
            org={org}
            directory={dir}
            given={toSync}
            onClose={() => setToSync(undefined)}
            onReviewAgain={() => void cache.invalidateQueries({ queryKey: ['reviews', dir] })}
            onSynced={() => (neighbours.next ? go(neighbours.next) : back())}
          />
        </Suspense>
      )}
    </div>
  )
}

const leads: Partial<Record<Choice, string>> = {
  overwrite: 'This group alone, overwritten:',
  merge: 'This group alone, merged:',
  rename_existing: 'This group alone, the existing one renamed:',
  ignore: 'This group, left as it is:',
}

function warningText(code: string, count: number, { existing, members }: Review): string {
  const short = warningWords[code]?.[2] ?? code
  if (code === 'guard_passed' && existing)
    return `${short}: ${number(count)} of ${number(existing.memberCount)} removed, ${Math.round((100 * members.removed) / existing.memberCount)} %`
  return count > 1 ? `${short}: ${number(count)}` : short
}

/** Blocked, ignored, or synced already: why, and what to do. */
function NotToSync({ review, org, dir }: { review: Review; org: string; dir: string }) {
  const reopen = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/v1/reviews/{group}/reopen', { params: { path: { group: review.group.id }, query: { directory: dir } } }),
      ),
    onSuccess: () => cache.invalidateQueries(),
  })
  return (
    <div className={styles.not}>
      {review.state === 'blocked' ? (
        review.reasons.map((reason) => <p key={reason}>{reasonWords[reason] ?? reason}</p>)
      ) : (
        <p>{review.cannot[0]?.why}</p>
      )}
      {review.reasons.includes('default_access_group') && (
        <Link to="/o/$org/access" params={{ org }}>
          Open product access
        </Link>
      )}
      {review.state === 'ignored' && (
        <Button loading={reopen.isPending} onClick={() => reopen.mutate()}>
          Review it again
        </Button>
      )}
      <FailedLine error={reopen.error} />
    </div>
  )
}
