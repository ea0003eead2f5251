import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { observationOf, useGoLive } from '../../../data/life.ts'
import { EffectSentence } from '../../../parts/figures.tsx'
import { FailedLine, Waiting } from '../../../parts/states.tsx'
import { counted, number } from '../../../parts/words.ts'

/** An observing directory's report: everything was accepted, nothing is in force; and what going live would do. */
export function Observing({ org, dir }: { org: string; dir: string }) {
  const { data } = useQuery(observationOf(dir))
  const goLive = useGoLive(dir)
  const navigate = useNavigate()
  return (
    <section className="card">
      <header>
        <h2>Observing: nothing of this is in force yet</h2>
      </header>
      {data === undefined ? (
        <Waiting />
      ) : (
        <>
          <dl className="body facts">
            <dt>Groups</dt>
            <dd>
              {counted(data.groups.new, 'name is', 'names are')} free, {number(data.groups.conflicting)} exist here and will need
              review, {number(data.groups.blocked)} are blocked
            </dd>
            <dt>People</dt>
            <dd>
              {number(data.people.matched.total)} matched, {number(data.people.new)} new, {number(data.people.probablySame)}{' '}
              probably the same as somebody, {number(data.people.notInProvider)} not pushed; {number(data.people.switchedOff)}{' '}
              would be switched off
            </dd>
            <dt>At once</dt>
            <dd>
              <EffectSentence {...data.access} />
            </dd>
            <dt>If all conflicts were synced, too</dt>
            <dd>
              <EffectSentence {...data.conflicts} />
            </dd>
          </dl>
          <footer className="deeds">
            <FailedLine error={goLive.error} />
            <Button
              variant="filled"
              color={data.access.lost > 0 ? 'take' : undefined}
              loading={goLive.isPending}
              onClick={() =>
                goLive.mutate(
                  { key: crypto.randomUUID(), fingerprint: data.fingerprint },
                  { onSuccess: ({ id }) => void navigate({ to: '/o/$org/runs/$run', params: { org, run: id } }) },
                )
              }
            >
              Go live
            </Button>
          </footer>
        </>
      )}
    </section>
  )
}
