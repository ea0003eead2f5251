import { Button, Checkbox, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { undoOf, useUndo } from '../../data/runs.ts'
import { EffectPanel } from '../../parts/EffectPanel.tsx'
import { GroupName } from '../../parts/figures.tsx'
import { PageHeader } from '../../parts/PageHeader.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { counted, number } from '../../parts/words.ts'
import styles from './UndoPage.module.css'

/** An undo is a review of its own: what it would do is shown first, and groups that changed since are left out unless asked for. */
export function UndoPage() {
  const { org, run } = useParams({ from: '/o/$org/runs/$run/undo' })
  const [evenIfChanged, setEven] = useState(false)
  const [typed, setTyped] = useState('')
  const undo = useQuery(undoOf(run, evenIfChanged))
  const start = useUndo(run)
  const navigate = useNavigate()
  const key = useRef(crypto.randomUUID())
  if (undo.isError)
    return <Failed error={undo.error} what="What an undo would do could not be computed" retry={() => void undo.refetch()} />
  if (!undo.data) return <Waiting lines={8} />
  const { groups, changed, effect } = undo.data
  const { access } = effect
  const takes = access.lost > 0
  const go = () =>
    start.mutate(
      { key: key.current, fingerprint: effect.fingerprint, evenIfChanged },
      {
        onSuccess: (made) => void navigate({ to: '/o/$org/runs/$run', params: { org, run: made.id } }),
        onError: () => {
          key.current = crypto.randomUUID()
          void undo.refetch()
        },
      },
    )
  return (
    <div className="page">
      <PageHeader
        title={`Undo ${counted(groups, 'group')}?`}
        windowTitle={`Undo · Runs · ${org}`}
        trail={[
          <Link key="runs" to="/o/$org/runs" params={{ org }}>
            Runs
          </Link>,
          <Link key="run" to="/o/$org/runs/$run" params={{ org, run }} className="mono">
            {run.slice(0, 4)}…{run.slice(-4)}
          </Link>,
          'Undo',
        ]}
      >
        <p className="second">
          Members, name and link of each group go back to what they were before the run. It is a run of its own, and can be undone
          too.
        </p>
      </PageHeader>
      <div className={styles.parts}>
        <section className={`card ${styles.effect}`}>
          <EffectPanel lead="If it is undone, all of it together:" effect={effect} isOld={undo.isFetching} />
        </section>
        <section className="card">
          <header>
            <h2>Changed since</h2>
            <span className="small grey">{number(changed.length)}</span>
          </header>
          <div className="body">
            {changed.length === 0 ? (
              <p className="second">No group of the run was changed since.</p>
            ) : (
              <>
                <ul className={styles.changed}>
                  {changed.slice(0, 50).map(({ group, entries }) => (
                    <li key={group.id}>
                      <GroupName name={group.name} />
                      <span className="small grey">{counted(entries, 'later change')}</span>
                    </li>
                  ))}
                </ul>
                <Checkbox
                  checked={evenIfChanged}
                  onChange={(event) => setEven(event.currentTarget.checked)}
                  label={`Undo these ${number(changed.length)} too, dropping what was changed later`}
                />
              </>
            )}
          </div>
        </section>
      </div>
      <FailedLine error={start.error} />
      <div className={styles.deed}>
        {takes && (
          <TextInput
            label={
              <>
                Type <b>{access.peopleLosing}</b> to confirm
              </>
            }
            description="the people who lose access by it"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            inputMode="numeric"
            autoComplete="off"
          />
        )}
        <Button size="md" renderRoot={(props) => <Link {...props} to="/o/$org/runs/$run" params={{ org, run }} />}>
          Cancel
        </Button>
        <Button
          size="md"
          variant="filled"
          color={takes ? 'take' : undefined}
          disabled={groups === 0 || undo.isFetching || (takes && typed.trim() !== String(access.peopleLosing))}
          loading={start.isPending}
          onClick={go}
        >
          Undo {counted(groups, 'group')}
        </Button>
      </div>
    </div>
  )
}
