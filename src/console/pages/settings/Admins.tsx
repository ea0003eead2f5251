import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { type Admin, admins, type Role, useChangeAdmin, useInvite, useLink, useRemoveAdmin } from '../../data/admins.ts'
import { session } from '../../data/session.ts'
import { Confirm } from '../../parts/Confirm.tsx'
import { CopyField } from '../../parts/CopyField.tsx'
import { Dialog } from '../../parts/Dialog.tsx'
import { Field, Fields } from '../../parts/Field.tsx'
import { Time } from '../../parts/figures.tsx'
import { SimpleTable } from '../../parts/SimpleTable.tsx'
import { Failed, FailedLine, Waiting } from '../../parts/states.tsx'
import { SettingsHeader } from './SettingsHeader.tsx'

const roleWords: Record<Role, string> = {
  auditor: 'Auditor: sees everything, changes nothing',
  reviewer: 'Reviewer: decides about groups of given products',
  admin: 'Admin: everything but who signs in',
  owner: 'Owner: everything',
}

/** Who signs in to the console, and may do what; owners invite, change and remove them. */
export function Admins() {
  const { org } = useParams({ from: '/o/$org/settings/admins' })
  const { data, error, refetch } = useQuery(admins())
  const isOwner = useQuery(session()).data?.can.includes('own') ?? false
  const [changing, setChanging] = useState<Admin>()
  const [removing, setRemoving] = useState<Admin>()
  const link = useLink()
  return (
    <div className="page">
      <SettingsHeader org={org} page="Admins" />
      {isOwner ? <Invite /> : <p className="second">Only owners say who signs in. Ask one of those below.</p>}
      {error && !data ? (
        <Failed error={error} what="The admins could not be loaded" retry={() => void refetch()} />
      ) : data === undefined ? (
        <Waiting />
      ) : data.total === 0 ? (
        <p className="second">Nobody signs in yet but by tokens.</p>
      ) : (
        <section className="card narrow">
          <SimpleTable
            label="Admins"
            heads={['Person', 'Role', 'Last seen', '']}
            ends={[3]}
            rows={data.items.map((admin) => ({
              key: admin.id,
              cells: [
                <bdi key="name" className="strong">
                  {admin.displayName ?? admin.userName}
                </bdi>,
                <span key="role">
                  {admin.active ? admin.role : `${admin.role}, switched off`}
                  {admin.products.length > 0 && (
                    <span className="small second">
                      {' '}
                      of {admin.products.map(({ site, product }) => `${site}/${product}`).join(', ')}
                    </span>
                  )}
                </span>,
                admin.lastUsedAt ? <Time key="seen" at={admin.lastUsedAt} /> : 'not signed in',
                isOwner && (
                  <span key="deeds" style={{ display: 'flex', gap: 12, justifyContent: 'end' }}>
                    <button type="button" className="link" onClick={() => link.mutate(admin.id)}>
                      Make a link
                    </button>
                    <button type="button" className="link" onClick={() => setChanging(admin)}>
                      Change
                    </button>
                    <button type="button" className="link" onClick={() => setRemoving(admin)}>
                      Remove
                    </button>
                  </span>
                ),
              ],
            }))}
          />
        </section>
      )}
      {(link.data || link.error) && <LinkDialog url={link.data?.url} error={link.error} onClose={() => link.reset()} />}
      {changing && <Change admin={changing} onClose={() => setChanging(undefined)} />}
      {removing && <Remove admin={removing} onClose={() => setRemoving(undefined)} />}
    </div>
  )
}

const productsIn = (text: string) =>
  text
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')

function RightsFields({
  role,
  onRole,
  products,
  onProducts,
}: {
  role: Role
  onRole: (role: Role) => void
  products: string
  onProducts: (products: string) => void
}) {
  return (
    <>
      <Field label="Role">
        {(props) => (
          <select {...props} className="choose" value={role} onChange={(event) => onRole(event.currentTarget.value as Role)}>
            {Object.entries(roleWords).map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        )}
      </Field>
      {role === 'reviewer' && (
        <Field
          label="Products"
          help="As site/product, between commas. A group that gives access to anything else is not theirs to decide."
        >
          {(props) => (
            <input
              {...props}
              className="field"
              style={{ width: '100%', maxWidth: 420 }}
              value={products}
              onChange={(event) => onProducts(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
    </>
  )
}

const rightsOf = (role: Role, products: string) => ({ role, ...(role === 'reviewer' ? { products: productsIn(products) } : {}) })

function Invite() {
  const [person, setPerson] = useState('')
  const [role, setRole] = useState<Role>('admin')
  const [products, setProducts] = useState('')
  const invite = useInvite()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    invite.mutate({ person: person.trim(), ...rightsOf(role, products) }, { onSuccess: () => setPerson('') })
  }
  return (
    <form className="card narrow" onSubmit={submit}>
      <header>
        <h2>Invite somebody</h2>
      </header>
      <div className="body">
        <Fields>
          <Field label="E-mail" help="Or the user name of somebody of the organization.">
            {(props) => (
              <input
                {...props}
                className="field"
                style={{ width: '100%', maxWidth: 420 }}
                value={person}
                onChange={(event) => setPerson(event.currentTarget.value)}
              />
            )}
          </Field>
          <RightsFields role={role} onRole={setRole} products={products} onProducts={setProducts} />
        </Fields>
        {invite.data && (
          <div style={{ marginTop: 16 }}>
            <CopyField label={`A link for ${invite.data.admin.userName}, shown this once`} value={invite.data.link.url} />
            <p className="small second">It signs them in once, within 10 minutes. Give it to them and to nobody else.</p>
          </div>
        )}
      </div>
      <footer className="deeds">
        <FailedLine error={invite.error} />
        <Button type="submit" variant="filled" disabled={person.trim() === ''} loading={invite.isPending}>
          Invite
        </Button>
      </footer>
    </form>
  )
}

const LinkDialog = ({ url, error, onClose }: { url: string | undefined; error: unknown; onClose: () => void }) => (
  <Dialog
    title="A link that signs in once"
    onClose={onClose}
    foot={
      <Button variant="filled" onClick={onClose}>
        Done
      </Button>
    }
  >
    {url && <CopyField label="The link, shown this once" value={url} />}
    <p className="second">Within 10 minutes. Earlier links of this person open nothing any more.</p>
    <FailedLine error={error} />
  </Dialog>
)

function Change({ admin, onClose }: { admin: Admin; onClose: () => void }) {
  const [role, setRole] = useState<Role>(admin.role)
  const [products, setProducts] = useState(admin.products.map(({ site, product }) => `${site}/${product}`).join(', '))
  const change = useChangeAdmin()
  return (
    <Dialog
      title={`What may «${admin.displayName ?? admin.userName}» do?`}
      onClose={onClose}
      foot={
        <>
          <Button data-autofocus onClick={onClose}>
            Cancel
          </Button>
          <Button
            variant="filled"
            loading={change.isPending}
            onClick={() => change.mutate({ person: admin.id, ...rightsOf(role, products) }, { onSuccess: onClose })}
          >
            Change the role
          </Button>
        </>
      }
    >
      <Fields>
        <RightsFields role={role} onRole={setRole} products={products} onProducts={setProducts} />
      </Fields>
      <FailedLine error={change.error} />
    </Dialog>
  )
}

function Remove({ admin, onClose }: { admin: Admin; onClose: () => void }) {
  const remove = useRemoveAdmin()
  const name = admin.displayName ?? admin.userName
  return (
    <Confirm
      title={`Have «${name}» sign in no more?`}
      deed="Take the right away"
      change={remove}
      onDo={() => remove.mutate(admin.id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>Their sessions, links and own tokens end at once. The person stays in the organization, with groups and access.</p>
    </Confirm>
  )
}
