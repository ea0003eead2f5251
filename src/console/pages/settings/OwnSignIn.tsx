import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import {
  passkeys,
  type Session,
  sessions,
  useAddPasskey,
  useConnectProvider,
  useEndSession,
  useRemovePasskey,
} from '../../data/own-sign-in.ts'
import { session } from '../../data/session.ts'
import { waysToSignIn } from '../../data/sign-in.ts'
import { Time } from '../../parts/figures.tsx'
import { SimpleTable } from '../../parts/SimpleTable.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { SettingsHeader } from './SettingsHeader.tsx'

/** How one signs in oneself, and where one is signed in; owners see where everybody is. */
export function OwnSignIn() {
  const { org } = useParams({ from: '/o/$org/settings/sessions' })
  const me = useQuery(session())
  return (
    <div className="page">
      <SettingsHeader org={org} page="Your sign-in" />
      {me.data?.person ? (
        <>
          <Passkeys />
          <Providers returnTo={`/o/${org}/settings/sessions`} />
        </>
      ) : (
        <p className="second">You are here by an API token: it has no passkeys. Sign in as a person to add one.</p>
      )}
      <Sessions isOwner={me.data?.can.includes('own') ?? false} />
    </div>
  )
}

function Passkeys() {
  const ways = useQuery(waysToSignIn())
  const { data } = useQuery(passkeys())
  const add = useAddPasskey()
  const remove = useRemovePasskey()
  return (
    <section className="card narrow">
      <header>
        <h2>Passkeys</h2>
        <Button loading={add.isPending} disabled={!ways.data?.passkeys} onClick={() => add.mutate(deviceName())}>
          Add a passkey
        </Button>
      </header>
      {data?.total === 0 && (
        <div className="body">
          <p className="second">
            {ways.data?.passkeys === false
              ? 'Passkeys are of a name, and this server is reached by an address. Set MUSTER_PUBLIC_URL to one with a name, such as https://muster.example.org'
              : 'None yet. With one you need no link and no provider.'}
          </p>
        </div>
      )}
      <FailedLine error={add.error ?? remove.error} />
      {data !== undefined && data.total > 0 && (
        <SimpleTable
          label="Passkeys"
          heads={['Passkey', 'Added', 'Last used', '']}
          ends={[3]}
          rows={data.items.map((passkey) => ({
            key: passkey.id,
            cells: [
              <bdi key="name" className="strong">
                {passkey.name}
              </bdi>,
              <Time key="added" at={passkey.createdAt} />,
              passkey.lastUsedAt ? <Time key="used" at={passkey.lastUsedAt} /> : 'never',
              <button key="remove" type="button" className="link" onClick={() => remove.mutate(passkey.id)}>
                Remove
              </button>,
            ],
          }))}
        />
      )}
    </section>
  )
}

// «Linux», «macOS»: what one remembers where the passkey is.
function deviceName(): string {
  const system = /Windows|Mac OS X|Android|iPhone|iPad|CrOS|Linux/.exec(navigator.userAgent)?.[0] ?? 'This device'
  return `${system}, ${new Date().toISOString().slice(0, 10)}`
}

function Providers({ returnTo }: { returnTo: string }) {
  const ways = useQuery(waysToSignIn())
  const connect = useConnectProvider()
  if (!ways.data || ways.data.providers.length === 0) return null
  return (
    <section className="card narrow">
      <header>
        <h2>Providers</h2>
      </header>
      <div className="body">
        <p className="second">Connect one to sign in by it, whatever e-mail it knows you by.</p>
        <p style={{ display: 'flex', flexWrap: 'wrap', gap: 8, marginTop: 12 }}>
          {ways.data.providers.map(({ id, name }) => (
            <Button key={id} loading={connect.isPending} onClick={() => connect.mutate({ provider: id, returnTo })}>
              Connect {name}
            </Button>
          ))}
        </p>
        <FailedLine error={connect.error} />
      </div>
    </section>
  )
}

const signedInBy: Record<Session['signedInBy'], string> = { link: 'a link', provider: 'a provider', passkey: 'a passkey' }

function Sessions({ isOwner }: { isOwner: boolean }) {
  const [everybody, setEverybody] = useState(false)
  const { data, error, refetch } = useQuery(sessions(everybody))
  const end = useEndSession()
  if (error && !data) return <Failed error={error} what="The sessions could not be loaded" retry={() => void refetch()} />
  if (data === undefined) return <Waiting />
  return (
    <section className="card narrow">
      <header>
        <h2>{everybody ? 'Who is signed in' : 'Where you are signed in'}</h2>
        {isOwner && <Button onClick={() => setEverybody(!everybody)}>{everybody ? 'Only mine' : 'Everybody'}</Button>}
      </header>
      <FailedLine error={end.error} />
      <SimpleTable
        label="Sessions"
        heads={[everybody ? 'Person' : 'Browser', 'By', 'From', 'Last used', '']}
        ends={[4]}
        rows={data.items.map((one) => ({
          key: one.id,
          cells: [
            <bdi key="what" className="strong cut" title={one.userAgent ?? undefined}>
              {everybody ? one.person.userName : browserIn(one.userAgent)}
            </bdi>,
            <span key="by" style={{ whiteSpace: 'nowrap' }}>
              {signedInBy[one.signedInBy]}
            </span>,
            one.address ?? '',
            <Time key="used" at={one.lastUsedAt} />,
            one.isThis ? (
              <span key="this" className="second">
                this one
              </span>
            ) : (
              <button key="end" type="button" className="link" onClick={() => end.mutate(one.id)}>
                Sign out
              </button>
            ),
          ],
        }))}
      />
    </section>
  )
}

function browserIn(userAgent: string | null): string {
  const browser = /(Firefox|Edg|Chrome|Safari)\//.exec(userAgent ?? '')?.[1]?.replace('Edg', 'Edge') ?? 'A browser'
  const system = /Windows|Mac OS X|Android|iPhone|iPad|CrOS|Linux/.exec(userAgent ?? '')?.[0]
  return system ? `${browser} on ${system}` : browser
}
