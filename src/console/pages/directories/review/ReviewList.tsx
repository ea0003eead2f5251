import { Button, Drawer } from '@mantine/core'
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks'
import { IconBulb, IconDownload, IconFilter, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { cache } from '../../../data/api.ts'
import { directoryOf } from '../../../data/directories.ts'
import { forgetChanged, useLive } from '../../../data/live.ts'
import {
  type Asked,
  type Choice,
  effectOf,
  peopleOf,
  type Review,
  type ReviewFilter,
  reviews,
  useViewed,
} from '../../../data/reviews.ts'
import { askedOf, chooseFor, chooseForAll, isPicked, pickAll, pickNothing, tick, usePicked } from '../../../data/selection.ts'
import { useMayNotReview } from '../../../data/session.ts'
import { reviewedIn } from '../../../data/sync.ts'
import { DataTable } from '../../../parts/DataTable.tsx'
import { download } from '../../../parts/download.ts'
import { EffectPanel } from '../../../parts/EffectPanel.tsx'
import { EffectSentence, Gained, Lost } from '../../../parts/figures.tsx'
import { useKeys } from '../../../parts/keys.ts'
import { PageHeader } from '../../../parts/PageHeader.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import type { ToSync } from '../../../parts/SyncFlow.tsx'
import { Empty, Failed, Waiting } from '../../../parts/states.tsx'
import { choiceWords, counted, number } from '../../../parts/words.ts'
import { filterOf } from './filter.ts'
import { QuickSets } from './QuickSets.tsx'
import { ReviewFacets } from './ReviewFacets.tsx'
import styles from './ReviewList.module.css'
import { ReviewCard, reviewColumns } from './reviewRows.tsx'

const SyncFlow = lazy(() => import('../../../parts/SyncFlow.tsx').then((file) => ({ default: file.SyncFlow })))

const states = {
  needs_review: 'need review',
  blocked: 'are blocked',
  held: 'are held',
  ignored: 'are ignored',
  all: 'were pushed',
}
type State = keyof typeof states

/** The page the product is for: what would change if pushed groups were synced, and the ticks that make it so. */
export function ReviewList() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/review' })
  const search = useSearch({ from: '/o/$org/directories/$dir/review' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/review' })
  const { q, sort = '-lost,-removed,name', ...parts } = search
  const filter = filterOf(parts, q)
  const state = (filter.state ?? 'needs_review') as State
  const directory = useQuery(directoryOf(dir))
  const picked = usePicked(dir)
  const viewed = useViewed(dir)
  const mayNot = useMayNotReview()
  const old = useLive().changed.get(directory.data?.id ?? '')?.size ?? 0
  const [rows, setRows] = useState<Review[]>([])
  const [total, setTotal] = useState<number>()
  const [toSync, setToSync] = useState<ToSync>()
  const [isFiltering, setFiltering] = useState(false)
  const [isLooking, setLooking] = useState(false)
  const isWide = useMediaQuery('(min-width: 1280px)') ?? true
  const hasFacets = useMediaQuery('(min-width: 1024px)') ?? true

  // By its text: an object made anew at each render would begin the waiting anew, too.
  const now = JSON.stringify(askedOf(picked))
  const [settled] = useDebouncedValue(now, 300)
  const asked = settled === undefined ? undefined : (JSON.parse(settled) as Asked)
  const everything = { selection: { mode: 'filter' as const, filter: {} }, defaultChoice: 'overwrite' as const }
  const effect = useQuery(effectOf(dir, asked ?? everything))
  const isSelected = asked !== undefined && now !== undefined
  // «all» and «nothing» are shown of the figures only once they are of what is ticked now.
  const isOld = effect.isPlaceholderData || settled !== now

  const change = (part: Partial<Record<keyof typeof search, string | undefined>>) =>
    navigate({ search: (now) => tidy({ ...now, ...part }), replace: true })
  const open = (row: Review) =>
    navigate({ to: '/o/$org/directories/$dir/review/$pgroup', params: { org, dir, pgroup: row.group.id }, search })
  const sync = () => {
    const meant = askedOf(picked)
    if (meant === undefined || mayNot || effect.data === undefined || isOld) return
    const [only] = effect.data.groups === 1 ? rows.filter(({ group }) => isPicked(picked, group.id)) : []
    setToSync({
      asked: meant,
      effect: effect.data,
      name: only?.group.name,
      isAll: picked.mode === 'filter' && picked.except.size === 0 && picked.preset === 'all',
      reviewed: reviewedIn(dir, (id) => isPicked(picked, id)),
    })
  }
  const syncAll = () => {
    pickAll(dir, {}, 'all')
    if (!isWide) setLooking(true)
  }
  useKeys({
    Escape: () => pickNothing(dir),
    s: sync,
    '/': () => document.querySelector<HTMLInputElement>('#search')?.focus(),
  })

  if (directory.isError)
    return <Failed error={directory.error} what="The directory could not be loaded" retry={() => void directory.refetch()} />
  const groups = directory.data?.groups
  const counts: Record<State, number | undefined> = {
    needs_review: groups?.needsReview,
    blocked: groups?.blocked,
    held: groups?.held,
    ignored: groups?.ignored,
    all: groups?.received,
  }
  const count = counts[state]
  const panel = effect.data ? (
    <EffectPanel
      lead={
        isSelected
          ? picked.preset === 'all'
            ? `All ${counted(effect.data.groups, 'group')} selected. Synced together,`
            : `${counted(effect.data.groups, 'group')} selected. Synced together,`
          : `Nothing selected. If all ${number(effect.data.groups)} were synced,`
      }
      effect={effect.data}
      isOld={isOld}
      people={(who) => peopleOf(dir, asked ?? everything, who)}
      onPick={({ site, role }) => void change({ ...(site ? { site } : {}), ...(role ? { role } : {}) })}
      onWarning={(code) => void change({ warning: code })}
      {...(isSelected ? { onTakeOut: (ids: string[]) => tick(dir, ids, false) } : {})}
    />
  ) : effect.isError ? (
    <Failed error={effect.error} what="The effect could not be computed" retry={() => void effect.refetch()} />
  ) : (
    <Waiting lines={8} />
  )
  const facetList = <ReviewFacets directory={dir} filter={filter} onFilter={(part) => void change(part)} />
  const filters = Object.keys(parts).filter((part) => part !== 'state').length
  return (
    <div className={styles.page}>
      <div className={styles.header}>
        <PageHeader
          title={
            count === undefined
              ? 'Review'
              : `${counted(count, 'group')} ${
                  count === 1
                    ? states[state]
                        .replace(/^need\b/, 'needs')
                        .replace(/^are/, 'is')
                        .replace(/^were/, 'was')
                    : states[state]
                }`
          }
          windowTitle={`Review · ${dir} · ${org}`}
          trail={[
            <Link key="all" to="/o/$org/directories" params={{ org }}>
              Directories
            </Link>,
            <Link key="one" to="/o/$org/directories/$dir" params={{ org, dir }}>
              {dir}
            </Link>,
            'Review',
          ]}
          beside={
            <nav aria-label="States" className={styles.states}>
              {(Object.keys(states) as State[])
                .filter((other) => other !== state)
                .map((other) => (
                  <button
                    key={other}
                    type="button"
                    className="link"
                    onClick={() => void change({ state: other === 'needs_review' ? undefined : other })}
                  >
                    {other === 'all' ? 'all' : `${number(counts[other] ?? 0)} ${other === 'needs_review' ? 'to review' : other}`}
                  </button>
                ))}
            </nav>
          }
          actions={
            <>
              <Button
                leftSection={<IconBulb size={16} stroke={1.75} />}
                renderRoot={(props) => <Link {...props} to="/o/$org/directories/$dir/review/suggestions" params={{ org, dir }} />}
              >
                Suggestions
              </Button>
              <Button
                leftSection={<IconDownload size={16} stroke={1.75} />}
                onClick={() =>
                  void download(
                    `/api/v1/directories/${encodeURIComponent(dir)}/reviews`,
                    { ...filter, sort, format: 'csv', limit: 0 },
                    `reviews-${dir}.csv`,
                  )
                }
              >
                Download CSV
              </Button>
              {state === 'needs_review' && (
                <Button variant="filled" onClick={syncAll} disabled={!groups?.needsReview}>
                  Sync all groups
                </Button>
              )}
            </>
          }
        />
        {state === 'needs_review' && <QuickSets directory={dir} />}
      </div>
      <div className={styles.body}>
        {hasFacets && (
          <aside className={styles.facets} aria-label="Filters">
            {facetList}
          </aside>
        )}
        <section className={styles.list} aria-label="Groups">
          <div className={styles.toolbar}>
            <SearchField value={q ?? ''} onChange={(next) => void change({ q: next || undefined })} placeholder="Search groups" />
            {!hasFacets && (
              <Button leftSection={<IconFilter size={16} />} onClick={() => setFiltering(true)}>
                Filters {filters > 0 && filters}
              </Button>
            )}
            <span className="second" aria-live="polite">
              {counted(count ?? 0, 'group')}, <b className="strong">{number(total ?? 0)} shown</b>
            </span>
            {filters > 0 && (
              <button
                type="button"
                className="link"
                onClick={() => navigate({ search: { sort: search.sort, state: search.state }, replace: true })}
              >
                Clear filters
              </button>
            )}
          </div>
          {old > 0 && directory.data && (
            <p role="status" className={styles.old}>
              {counted(old, 'thing')} changed since you opened this list.{' '}
              <button
                type="button"
                className="link"
                onClick={() => {
                  forgetChanged(directory.data.id)
                  void cache.invalidateQueries({ queryKey: ['reviews', dir] })
                }}
              >
                Show
              </button>
            </p>
          )}
          <DataTable
            label={`Groups that ${states[state]}`}
            list={reviews(dir, filter, sort)}
            columns={reviewColumns({
              org,
              dir,
              search,
              picked,
              isBlocked: state === 'blocked',
              most: Math.max(1, ...rows.map(({ members }) => members.added + members.removed + members.unchanged)),
              onTick: (row, isTicked) => tick(dir, [row.group.id], isTicked),
              onTickAll: (isTicked) =>
                tick(
                  dir,
                  rows.filter(({ can }) => can.includes('sync')).map(({ group }) => group.id),
                  isTicked,
                ),
              loaded: rows,
              joint: new Set(isSelected && !isOld ? effect.data?.jointLosses.groups : []),
              onChoose: (row, choice) => chooseFor(dir, row.group.id, choice),
              onViewed: (row) => viewed.mutate({ group: row.group.id, fingerprint: row.viewed ? null : row.fingerprint }),
            })}
            idOf={({ group }) => group.id}
            onOpen={(row) => void open(row)}
            sort={sort}
            onSort={(next) => void change({ sort: next === '-lost' ? undefined : next })}
            isSelected={({ group, can }) => can.includes('sync') && isPicked(picked, group.id) && isSelectable(picked, filter)}
            onTick={(ticked, isTicked) =>
              tick(
                dir,
                ticked.filter(({ can }) => can.includes('sync')).map(({ group }) => group.id),
                isTicked,
              )
            }
            rowKeys={{
              v: (row) => viewed.mutate({ group: row.group.id, fingerprint: row.viewed ? null : row.fingerprint }),
              ...Object.fromEntries(
                (['overwrite', 'merge', 'rename_existing', 'ignore'] as const).map((choice, at) => [
                  String(at + 1),
                  (row: Review) => chooseFor(dir, row.group.id, choice),
                ]),
              ),
            }}
            onRows={(loaded, all) => {
              setRows(loaded)
              setTotal(all)
            }}
            card={{
              height: 136,
              of: (row) => (
                <ReviewCard
                  row={row}
                  {...{ org, dir, search, picked }}
                  onTick={(isTicked) => tick(dir, [row.group.id], isTicked)}
                  onChoose={(choice) => chooseFor(dir, row.group.id, choice)}
                />
              ),
            }}
            empty={
              filters > 0 || q ? (
                <Empty
                  title="No group matches."
                  action={<Button onClick={() => void navigate({ search: {}, replace: true })}>Clear filters</Button>}
                />
              ) : state === 'needs_review' ? (
                <Empty
                  title={
                    groups?.received
                      ? `All ${number(groups.received - groups.blocked)} groups are synced.`
                      : 'Nothing was pushed yet.'
                  }
                >
                  {groups?.received
                    ? 'What the provider pushes from now on is in force at once, or comes here.'
                    : 'Groups stand here once the provider pushes one whose name you have.'}
                </Empty>
              ) : (
                <Empty title={`No groups ${states[state]}.`} />
              )
            }
          />
          {now !== undefined && mayNot && <p className={styles.old}>{mayNot}</p>}
          {now !== undefined && (
            <section className={styles.bar} aria-label="What is selected">
              <button type="button" className={styles.leave} onClick={() => pickNothing(dir)} aria-label="Select nothing">
                <IconX size={16} aria-hidden />
              </button>
              <span className={styles.selected}>
                <b className="strong">{isOld ? '…' : number(effect.data?.groups ?? 0)} selected</b>
                {effect.data && !isOld && (
                  <span className={styles.together}>
                    Together: <EffectSentence {...effect.data.access} />
                  </span>
                )}
                {effect.data && !isOld && (
                  <span className={styles.two}>
                    <Lost count={effect.data.access.lost} /> <Gained count={effect.data.access.gained} />{' '}
                    <span className="small grey">accesses</span>
                  </span>
                )}
              </span>
              {picked.mode === 'ids' &&
                picked.preset === undefined &&
                total !== undefined &&
                picked.ids.size >= Math.min(total, rows.length) &&
                rows.length < total && (
                  <button type="button" className="link" onClick={() => pickAll(dir, filter)}>
                    Select all {number(total)} that match
                  </button>
                )}
              {!isWide && (
                <Button onClick={() => setLooking(true)} className={styles.look}>
                  Effect
                </Button>
              )}
              <select
                className={`choose ${styles.choice}`}
                aria-label="Choice for all that are selected"
                value={picked.choice}
                onChange={(event) => chooseForAll(dir, event.currentTarget.value as Choice)}
              >
                {(['overwrite', 'merge', 'rename_existing', 'ignore'] as const).map((choice) => (
                  <option key={choice} value={choice}>
                    {choiceWords[choice]}
                  </option>
                ))}
              </select>
              <Button
                variant="filled"
                size="md"
                color={effect.data && effect.data.access.lost > 0 ? 'take' : undefined}
                disabled={isOld || !effect.data?.groups || mayNot !== undefined}
                onClick={sync}
              >
                {isOld ? 'Computing…' : `Sync ${counted(effect.data?.groups ?? 0, 'group')}`}
              </Button>
            </section>
          )}
        </section>
        {isWide && (
          <aside className={styles.panel} aria-label="Effect">
            {panel}
          </aside>
        )}
      </div>
      <Drawer
        opened={!isWide && isLooking}
        onClose={() => setLooking(false)}
        title="Effect"
        position={hasFacets ? 'right' : 'bottom'}
        size={hasFacets ? 420 : '85%'}
        padding={0}
      >
        {panel}
      </Drawer>
      <Drawer opened={isFiltering && !hasFacets} onClose={() => setFiltering(false)} title="Filters" size={300} padding={0}>
        {facetList}
      </Drawer>
      {toSync && (
        <Suspense>
          <SyncFlow
            org={org}
            directory={dir}
            given={toSync}
            onClose={() => setToSync(undefined)}
            onLeaveOut={(ids) => tick(dir, ids, false)}
            onReviewAgain={() => void cache.invalidateQueries({ queryKey: ['reviews', dir] })}
            onAsked={() => pickNothing(dir)}
          />
        </Suspense>
      )}
    </div>
  )
}

// A selection by filter ticks what matches *its* filter; a list narrowed otherwise shows some of it, all of which match.
const isSelectable = (picked: { mode: string; filter: ReviewFilter }, shown: ReviewFilter): boolean =>
  picked.mode === 'ids' || Object.entries(picked.filter).every(([part, value]) => shown[part as keyof ReviewFilter] === value)

const tidy = <T extends Record<string, unknown>>(search: T): T =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T
