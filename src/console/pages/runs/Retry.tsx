import { Button, Checkbox } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { type Run, retryOf, useRetry } from '../../data/runs.ts'
import { Dialog } from '../../parts/Dialog.tsx'
import { EffectSentence } from '../../parts/figures.tsx'
import { FailedLine, Waiting } from '../../parts/states.tsx'
import { counted } from '../../parts/words.ts'

/** The groups that a run left out, with what syncing them would do now. */
export function Retry({ org, run, onClose }: { org: string; run: Run; onClose: () => void }) {
  const now = useQuery(retryOf(run.id))
  const retry = useRetry(run.id)
  const navigate = useNavigate()
  const key = useRef(crypto.randomUUID())
  const [acceptEmpty, setAcceptEmpty] = useState(false)
  const effect = now.data
  const empty = effect?.warnings.find(({ code }) => code === 'empty')?.groups ?? 0
  const deed = effect ? `Sync ${counted(effect.groups, 'group')}` : 'Sync'
  return (
    <Dialog
      title={effect ? `Sync ${counted(effect.groups, 'group')} that ${effect.groups === 1 ? 'was' : 'were'} left out?` : 'Retry'}
      onClose={onClose}
      foot={
        <>
          <Button size="md" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button
            size="md"
            variant="filled"
            color={effect && effect.access.lost > 0 ? 'take' : undefined}
            disabled={!effect || effect.groups === 0}
            loading={retry.isPending}
            onClick={() =>
              effect &&
              retry.mutate(
                { key: key.current, fingerprint: effect.fingerprint, acceptEmpty },
                {
                  onSuccess: (made) => {
                    onClose()
                    void navigate({ to: '/o/$org/runs/$run', params: { org, run: made.id } })
                  },
                  onError: () => {
                    key.current = crypto.randomUUID()
                    void now.refetch()
                  },
                },
              )
            }
          >
            {deed}
          </Button>
        </>
      }
    >
      {effect ? (
        <p>
          <EffectSentence {...effect.access} /> They are synced as they were to be then.
        </p>
      ) : now.isError ? null : (
        <Waiting lines={2} />
      )}
      {empty > 0 && (
        <Checkbox
          checked={acceptEmpty}
          onChange={(event) => setAcceptEmpty(event.currentTarget.checked)}
          label={`Also ${counted(empty, 'group')} pushed empty over members; else left out again`}
        />
      )}
      <FailedLine error={now.error ?? retry.error} />
    </Dialog>
  )
}
