import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { session } from '../../data/session.ts'
import {
  type SignInProvider,
  signInProviders,
  useAddProvider,
  useEnableProvider,
  useRemoveProvider,
} from '../../data/sign-in-providers.ts'
import { Confirm } from '../../parts/Confirm.tsx'
import { CopyField } from '../../parts/CopyField.tsx'
import { Field, Fields } from '../../parts/Field.tsx'
import { SimpleTable } from '../../parts/SimpleTable.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { SettingsHeader } from './SettingsHeader.tsx'

/** Identity providers that admins sign in by (OpenID Connect). */
export function SignInSettings() {
  const { org } = useParams({ from: '/o/$org/settings/sign-in' })
  const { data, error, refetch } = useQuery(signInProviders())
  const isOwner = useQuery(session()).data?.can.includes('own') ?? false
  const enable = useEnableProvider()
  const [removing, setRemoving] = useState<SignInProvider>()
  return (
    <div className="page">
      <SettingsHeader org={org} page="Sign-in" />
      <p className="second">
        Admins sign in by a link, a passkey or one of these providers. Who is not invited is not signed in, whatever a provider
        says.
      </p>
      {error && !data ? (
        <Failed error={error} what="The providers could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : (
        data.total > 0 && (
          <section className="card narrow">
            <SimpleTable
              label="Sign-in providers"
              heads={['Name', 'Issuer', 'Client id', '']}
              ends={[3]}
              rows={data.items.map((provider) => ({
                key: provider.id,
                cells: [
                  <bdi key="name" className="strong">
                    {provider.name}
                  </bdi>,
                  <span key="issuer" className="mono">
                    {provider.issuer}
                  </span>,
                  <span key="client" className="mono">
                    {provider.clientId}
                  </span>,
                  isOwner && (
                    <span key="deeds" style={{ display: 'flex', gap: 12, justifyContent: 'end' }}>
                      <button
                        type="button"
                        className="link"
                        onClick={() => enable.mutate({ provider: provider.id, enabled: !provider.enabled })}
                      >
                        {provider.enabled ? 'Switch off' : 'Switch on'}
                      </button>
                      <button type="button" className="link" onClick={() => setRemoving(provider)}>
                        Remove
                      </button>
                    </span>
                  ),
                ],
              }))}
            />
          </section>
        )
      )}
      <FailedLine error={enable.error} />
      {isOwner && <AddProvider />}
      {removing && <Remove provider={removing} onClose={() => setRemoving(undefined)} />}
    </div>
  )
}

function AddProvider() {
  const [given, setGiven] = useState({ name: '', issuer: '', clientId: '', clientSecret: '' })
  const add = useAddProvider()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const { clientSecret, ...rest } = given
    add.mutate(
      { ...rest, ...(clientSecret === '' ? {} : { clientSecret }) },
      { onSuccess: () => setGiven({ name: '', issuer: '', clientId: '', clientSecret: '' }) },
    )
  }
  const field = (name: keyof typeof given, label: string, help: string, type = 'text') => (
    <Field label={label} help={help}>
      {(props) => (
        <input
          {...props}
          className="field"
          style={{ width: '100%', maxWidth: 420 }}
          type={type}
          autoComplete="off"
          value={given[name]}
          onChange={({ currentTarget }) => setGiven((now) => ({ ...now, [name]: currentTarget.value }))}
        />
      )}
    </Field>
  )
  return (
    <form className="card narrow" onSubmit={submit}>
      <header>
        <h2>Add a provider</h2>
      </header>
      <div className="body">
        <div style={{ marginBottom: 20 }}>
          <CopyField label="Redirect URI, to enter at the provider first" value={`${location.origin}/api/v1/sign-in/callback`} />
        </div>
        <Fields>
          {field('name', 'Name', 'What people read on the button: Okta, Entra ID.')}
          {field('issuer', 'Issuer', 'As the provider calls itself, to the letter: https://acme.okta.com')}
          {field('clientId', 'Client id', 'What the provider calls this server.')}
          {field(
            'clientSecret',
            'Client secret',
            'Sealed at rest, and shown to nobody again. Empty for a public client.',
            'password',
          )}
        </Fields>
      </div>
      <footer className="deeds">
        <FailedLine error={add.error} />
        {add.isSuccess && (
          <span role="status" className="gained">
            Added. Try it in a private window before you rely on it.
          </span>
        )}
        <Button
          type="submit"
          variant="filled"
          loading={add.isPending}
          disabled={[given.name, given.issuer, given.clientId].some((value) => value.trim() === '')}
        >
          Add the provider
        </Button>
      </footer>
    </form>
  )
}

function Remove({ provider, onClose }: { provider: SignInProvider; onClose: () => void }) {
  const remove = useRemoveProvider()
  return (
    <Confirm
      title={`Remove «${provider.name}»?`}
      deed="Remove the provider"
      change={remove}
      onDo={() => remove.mutate(provider.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Nobody signs in by it any more. Sessions that are open stay so; passkeys and links go on working.</p>
    </Confirm>
  )
}
