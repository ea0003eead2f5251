import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { type Run, useSay } from '../../data/runs.ts'
import { EffectSentence } from '../../parts/figures.tsx'
import { FailedLine } from '../../parts/states.tsx'

/** A run that waits for a second person: what it would do, and the two answers. Whoever asked for it may only withdraw it. */
export function Approval({ run }: { run: Run }) {
  const say = useSay(run.id)
  const [comment, setComment] = useState('')
  const isOwn = run.approval?.isOwn ?? false
  return (
    <section className="card">
      <header>
        <h2>Waiting for a second person</h2>
      </header>
      <div className="body" style={{ display: 'grid', gap: 12 }}>
        <p>
          {isOwn ? 'You ask' : `${run.createdBy} asks`} to sync these groups. <EffectSentence {...run.foreseen.access} />
        </p>
        <Textarea
          label="Comment"
          description="Kept with the run and in the log; a rejection needs one."
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          maw={560}
          autosize
          minRows={2}
        />
        <div style={{ display: 'flex', gap: 8 }}>
          {!isOwn && (
            <>
              <Button
                variant="filled"
                color={run.foreseen.access.lost > 0 ? 'take' : undefined}
                loading={say.isPending}
                onClick={() => say.mutate({ what: 'approve', comment })}
              >
                Approve and run
              </Button>
              <Button disabled={comment.trim() === ''} onClick={() => say.mutate({ what: 'reject', comment })}>
                Reject
              </Button>
            </>
          )}
          {isOwn && <Button onClick={() => say.mutate({ what: 'withdraw', comment })}>Withdraw</Button>}
        </div>
        <FailedLine error={say.error} />
      </div>
    </section>
  )
}
