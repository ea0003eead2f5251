import { Button, Checkbox } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { type Held, held, heldEffectOf, useDecideHeld } from '../../../data/held.ts'
import { type Column, DataTable } from '../../../parts/DataTable.tsx'
import { EffectSentence, GroupName, Lost, Time } from '../../../parts/figures.tsx'
import { ListPage, Total } from '../../../parts/ListPage.tsx'
import { SearchField } from '../../../parts/SearchField.tsx'
import { StateChip } from '../../../parts/StateChip.tsx'
import { Empty, FailedLine } from '../../../parts/states.tsx'
import { counted } from '../../../parts/words.ts'
import { DirectoryHeader } from '../DirectoryHeader.tsx'
import styles from './HeldPage.module.css'

const kindWords: Record<Held['kind'], string> = {
  members: 'Members of a group',
  switch_off: 'A person switched off',
  delete_person: 'A person deleted',
  delete_group: 'A group deleted',
}
const reasonOf = {
  guard_passed: 'More than the guard lets pass within an hour',
  last_admin: 'The last who holds an administrative role',
}

/** What the provider took and is still in force here, because it was too much at once: allowed or rejected, some or all, as a run. */
export function HeldPage() {
  const { org, dir } = useParams({ from: '/o/$org/directories/$dir/held' })
  const search = useSearch({ from: '/o/$org/directories/$dir/held' })
  const navigate = useNavigate({ from: '/o/$org/directories/$dir/held' })
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const [total, setTotal] = useState(0)
  const ids = ticked.size === 0 ? undefined : [...ticked]
  const effect = useQuery({ ...heldEffectOf(dir, ids), enabled: total > 0 })
  const decide = useDecideHeld(dir)
  const go = (decision: 'allow' | 'reject') =>
    effect.data &&
    decide.mutate(
      { key: crypto.randomUUID(), decision, fingerprint: effect.data.fingerprint, ...(ids ? { ids } : {}) },
      {
        onSuccess: ({ id }) => void navigate({ to: '/o/$org/runs/$run', params: { org, run: id } }),
        onError: () => void effect.refetch(),
      },
    )
  const what = ids ? counted(ids.length, 'removal') : total === 1 ? 'the removal' : `all ${counted(total, 'removal')}`
  return (
    <ListPage
      hasTabs
      header={<DirectoryHeader org={org} dir={dir} page="Waiting removals" />}
      tools={
        <>
          <SearchField
            value={search.q ?? ''}
            onChange={(q) => void navigate({ search: q ? { q } : {}, replace: true })}
            placeholder="Group or person"
          />
          <Total>{counted(total, 'removal waits', 'removals wait')}</Total>
        </>
      }
    >
      <DataTable
        label="Removals that wait"
        list={held(dir, search.q ? { search: search.q } : {})}
        idOf={({ id }) => id}
        columns={columns(ticked, (id) => {
          const next = new Set(ticked)
          if (!next.delete(id)) next.add(id)
          setTicked(next)
        })}
        onRows={(_, all) => setTotal(all)}
        isSelected={({ id }) => ticked.has(id)}
        onTick={(rows, isTicked) => {
          const next = new Set(ticked)
          for (const { id } of rows) isTicked ? next.add(id) : next.delete(id)
          setTicked(next)
        }}
        empty={
          search.q ? (
            <Empty title="Nothing that waits matches." />
          ) : (
            <Empty title="No removal waits.">
              When a push takes more than the guard lets pass, its removals wait here until somebody has looked. Its additions
              apply at once.
            </Empty>
          )
        }
      />
      {total > 0 && (
        <footer className={styles.foot}>
          <p>
            {effect.data ? (
              <>
                Allowing {what}: <EffectSentence {...effect.data.access} />
              </>
            ) : (
              'Computing what it would take…'
            )}
          </p>
          <FailedLine error={decide.error ?? effect.error} />
          <div className="deeds">
            <Button disabled={!effect.data} loading={decide.isPending} onClick={() => go('reject')}>
              Keep {what}
            </Button>
            <Button
              variant="filled"
              color={effect.data && effect.data.access.lost > 0 ? 'take' : undefined}
              disabled={!effect.data}
              loading={decide.isPending}
              onClick={() => go('allow')}
            >
              Allow {what}
            </Button>
          </div>
        </footer>
      )}
    </ListPage>
  )
}

const columns = (ticked: ReadonlySet<string>, tick: (id: string) => void): Column<Held>[] => [
  {
    key: 'tick',
    header: <span className="unseen">Selected</span>,
    width: '42px',
    cell: ({ id, name }) => (
      <Checkbox size="md" aria-label={`Select ${name}`} checked={ticked.has(id)} onChange={() => tick(id)} />
    ),
  },
  { key: 'name', header: 'Of whom', width: 'minmax(160px, 1fr)', cell: ({ name }) => <GroupName name={name} /> },
  { key: 'kind', header: 'What was taken', width: '180px', cell: ({ kind }) => kindWords[kind] },
  {
    key: 'why',
    header: 'Why it waits',
    width: 'minmax(160px, 1fr)',
    cell: ({ reasons }) => <span className="cut second">{reasons.map((reason) => reasonOf[reason]).join('; ')}</span>,
  },
  { key: 'members', header: 'Members', width: '90px', align: 'end', cell: ({ members }) => <Lost count={members.removed} /> },
  { key: 'access', header: 'Accesses', width: '90px', align: 'end', cell: ({ access }) => <Lost count={access.lost} /> },
  { key: 'since', header: 'Waits since', width: '130px', cell: ({ since }) => <Time at={since} /> },
  {
    key: 'state',
    header: 'State',
    width: '110px',
    cell: ({ rejected }) => <StateChip state={rejected ? 'rejected' : 'held'} word={rejected ? 'Kept' : 'Waits'} />,
  },
]
