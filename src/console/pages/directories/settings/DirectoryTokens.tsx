import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type DirectoryToken, directoryTokens, useNewToken, useRevokeToken } from '../../../data/directories.ts'
import { Confirm } from '../../../parts/Confirm.tsx'
import { CopyField } from '../../../parts/CopyField.tsx'
import { Time } from '../../../parts/figures.tsx'
import { SimpleTable } from '../../../parts/SimpleTable.tsx'
import { StateChip } from '../../../parts/StateChip.tsx'
import { FailedLine, Waiting } from '../../../parts/states.tsx'

const isLive = ({ revokedAt, expiresAt }: DirectoryToken) => revokedAt === null && new Date(expiresAt) > new Date()

/** Two may live at once: make the new one, paste it at the provider, then revoke the old one. */
export function DirectoryTokens({ dir }: { dir: string }) {
  const { data } = useQuery(directoryTokens(dir))
  const make = useNewToken(dir)
  const [revoking, setRevoking] = useState<DirectoryToken>()
  const live = (data?.items ?? []).filter(isLive)
  return (
    <section className="card narrow">
      <header>
        <h2>Tokens</h2>
        <Button size="xs" loading={make.isPending} disabled={live.length >= 2} onClick={() => make.mutate({})}>
          Make a new token
        </Button>
      </header>
      {make.data && (
        <div className="body">
          <CopyField label="The new token, shown this once" value={make.data.token} />
          <p className="small grey">
            Paste it at your provider, watch a request come with it, then revoke the old one. We keep only a hash of it.
          </p>
        </div>
      )}
      <FailedLine error={make.error} />
      {data === undefined ? (
        <Waiting />
      ) : (
        <SimpleTable
          label="Tokens"
          heads={['Token', 'Made', 'Last used', 'Expires', '']}
          rows={data.items.map((token) => ({
            key: token.id,
            cells: [
              <span key="hint" className="mono">
                …{token.hint}
              </span>,
              <span key="made">
                <Time at={token.createdAt} /> <span className="grey">by {token.createdBy}</span>
              </span>,
              <Time key="used" at={token.lastUsedAt} />,
              isLive(token) ? (
                <Time key="expires" at={token.expiresAt} />
              ) : (
                <StateChip key="expires" state={token.revokedAt ? 'revoked' : 'expired'} />
              ),
              isLive(token) && (
                <button key="revoke" type="button" className="link" onClick={() => setRevoking(token)}>
                  Revoke
                </button>
              ),
            ],
          }))}
        />
      )}
      {live.length >= 2 && <footer className="small second">Two tokens are live: revoke one before you make another.</footer>}
      {revoking && <Revoke dir={dir} token={revoking} isLast={live.length === 1} onClose={() => setRevoking(undefined)} />}
    </section>
  )
}

function Revoke({ dir, token, isLast, onClose }: { dir: string; token: DirectoryToken; isLast: boolean; onClose: () => void }) {
  const revoke = useRevokeToken(dir)
  return (
    <Confirm
      title={`Revoke the token …${token.hint}?`}
      deed="Revoke the token"
      change={revoke}
      onDo={() => revoke.mutate(token.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        Within 5 seconds it is refused everywhere.{' '}
        {isLast ? 'It is the only live one: the provider cannot push until it has another.' : 'The other token goes on.'}
      </p>
    </Confirm>
  )
}
