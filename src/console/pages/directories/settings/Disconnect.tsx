import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { disconnectionOf, useDisconnect } from '../../../data/directories.ts'
import { Confirm } from '../../../parts/Confirm.tsx'
import { Waiting } from '../../../parts/states.tsx'
import { counted } from '../../../parts/words.ts'

/** The end of a directory: shown first, then typed. */
export function Disconnect({ org, dir }: { org: string; dir: string }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <section className="card narrow">
      <header>
        <h2>Disconnect</h2>
        <Button size="xs" onClick={() => setOpen(true)}>
          Disconnect {dir}
        </Button>
      </header>
      <p className="body second">
        Its tokens end, its groups stay as they are with members and access, and are nobody’s: you can edit them here. What it
        would do is shown before.
      </p>
      {isOpen && <Ask org={org} dir={dir} onClose={() => setOpen(false)} />}
    </section>
  )
}

function Ask({ org, dir, onClose }: { org: string; dir: string; onClose: () => void }) {
  const { data, error } = useQuery({ ...disconnectionOf(dir), staleTime: 0 })
  const disconnect = useDisconnect(dir)
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  return (
    <Confirm
      title={`Disconnect ${dir}?`}
      deed={`Disconnect ${dir}`}
      change={{ isPending: disconnect.isPending, error: error ?? disconnect.error }}
      disabled={!data || typed !== dir}
      onDo={() =>
        data &&
        disconnect.mutate(data.fingerprint, {
          onSuccess: () => void navigate({ to: '/o/$org/directories', params: { org } }),
        })
      }
      onClose={onClose}
    >
      {data === undefined ? (
        <Waiting lines={3} />
      ) : (
        <>
          <ul className="lines">
            <li>
              {counted(data.groups.unmanaged, 'group stays', 'groups stay')} as they are, with their members and access, unmanaged
            </li>
            <li>
              {counted(data.groups.dropped, 'group was', 'groups were')} only pushed and{' '}
              {data.groups.dropped === 1 ? 'goes' : 'go'}
            </li>
            <li>{counted(data.reviewable, 'group that waits for review is', 'groups that wait for review are')} left as today</li>
            <li>{counted(data.people.released, 'person is', 'people are')} nobody’s afterwards; nobody is switched off</li>
            <li>{counted(data.tokens, 'token ends', 'tokens end')} at once</li>
          </ul>
          <label>
            Type <b>{dir}</b> to confirm{' '}
            <input className="field" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" />
          </label>
        </>
      )}
    </Confirm>
  )
}
