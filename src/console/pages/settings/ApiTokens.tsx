import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { type ApiToken, apiTokens, useCreateApiToken, useRevokeApiToken } from '../../data/api-tokens.ts'
import { Confirm } from '../../parts/Confirm.tsx'
import { CopyField } from '../../parts/CopyField.tsx'
import { Field, Fields } from '../../parts/Field.tsx'
import { Time } from '../../parts/figures.tsx'
import { SimpleTable } from '../../parts/SimpleTable.tsx'
import { StateChip } from '../../parts/StateChip.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { SettingsHeader } from './SettingsHeader.tsx'

const roleWords: Record<ApiToken['role'], string> = {
  auditor: 'Auditor: reads everything, writes nothing',
  reviewer: 'Reviewer: reviews and syncs groups of given products',
  admin: 'Admin: everything but owners’ matters',
  owner: 'Owner: everything',
}

const isLive = ({ revokedAt, expiresAt }: ApiToken) => revokedAt === null && new Date(expiresAt) > new Date()

/** Tokens for scripts and for the command line: made, shown once, revoked. */
export function ApiTokens() {
  const { org } = useParams({ from: '/o/$org/settings/tokens' })
  const { data, error, refetch } = useQuery(apiTokens())
  const [revoking, setRevoking] = useState<ApiToken>()
  return (
    <div className="page">
      <SettingsHeader org={org} page="API tokens" />
      <MakeToken />
      {error && !data ? (
        <Failed error={error} what="The tokens could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : (
        <section className="card narrow">
          <SimpleTable
            label="API tokens"
            heads={['Name', 'Token', 'Role', 'Made by', 'Last used', 'Expires', '']}
            rows={data.items.map((token) => ({
              key: token.id,
              cells: [
                <bdi key="name" className="strong">
                  {token.name}
                </bdi>,
                <span key="hint" className="mono">
                  …{token.hint}
                </span>,
                token.role,
                <bdi key="by">{token.createdBy}</bdi>,
                <Time key="used" at={token.lastUsedAt} />,
                isLive(token) ? (
                  <Time key="expires" at={token.expiresAt} />
                ) : (
                  <StateChip key="over" state={token.revokedAt ? 'revoked' : 'expired'} />
                ),
                isLive(token) && (
                  <button key="revoke" type="button" className="link" onClick={() => setRevoking(token)}>
                    Revoke
                  </button>
                ),
              ],
            }))}
          />
        </section>
      )}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </div>
  )
}

function MakeToken() {
  const [name, setName] = useState('')
  const [role, setRole] = useState<ApiToken['role']>('auditor')
  const create = useCreateApiToken()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    create.mutate({ name: name.trim(), role }, { onSuccess: () => setName('') })
  }
  return (
    <form className="card narrow" onSubmit={submit}>
      <header>
        <h2>Make a token</h2>
      </header>
      <div className="body">
        <Fields>
          <Field label="Name" help="What uses it: it stands in the log as who did what.">
            {(props) => (
              <input {...props} className="field" value={name} onChange={(event) => setName(event.currentTarget.value)} />
            )}
          </Field>
          <Field label="Role">
            {(props) => (
              <select
                {...props}
                className="choose"
                value={role}
                onChange={(event) => setRole(event.currentTarget.value as ApiToken['role'])}
              >
                {Object.entries(roleWords).map(([value, word]) => (
                  <option key={value} value={value}>
                    {word}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </Fields>
        {create.data && <CopyField label="The token, shown this once" value={create.data.token} />}
      </div>
      <footer className="deeds">
        <FailedLine error={create.error} />
        <Button type="submit" variant="filled" disabled={name.trim() === ''} loading={create.isPending}>
          Make the token
        </Button>
      </footer>
    </form>
  )
}

function Revoke({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const revoke = useRevokeApiToken()
  return (
    <Confirm
      title={`Revoke «${token.name}»?`}
      deed="Revoke the token"
      change={revoke}
      onDo={() => revoke.mutate(token.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Within 5 seconds it is refused everywhere. What uses it stops working.</p>
    </Confirm>
  )
}
