import type { Admin, Session, SignInProvider } from '../shapes.ts'
import { ago } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const adminColumns: Column<Admin>[] = [
  { title: 'PERSON', value: (admin) => admin.userName },
  { title: 'NAME', value: (admin) => admin.displayName, mayShrink: true },
  { title: 'ROLE', value: (admin) => (admin.active ? admin.role : `${admin.role}, switched off`) },
  {
    title: 'PRODUCTS',
    value: (admin) => admin.products.map(({ site, product }) => `${site}/${product}`).join(', '),
    mayShrink: true,
  },
  { title: 'LAST SEEN', value: (admin) => admin.lastUsedAt, shown: (admin, out) => ago(admin.lastUsedAt, out.now) },
]

export const adminList = (admins: Admin[], out: Output): string => table(admins, adminColumns, out)

const sessionColumns: Column<Session>[] = [
  { title: 'SESSION', value: (session) => session.id },
  { title: 'PERSON', value: (session) => session.person.userName },
  { title: 'BY', value: (session) => session.signedInBy },
  { title: 'FROM', value: (session) => session.address },
  { title: 'LAST USED', value: (session) => session.lastUsedAt, shown: (session, out) => ago(session.lastUsedAt, out.now) },
  { title: 'BROWSER', value: (session) => session.userAgent, mayShrink: true },
]

export const sessionList = (sessions: Session[], out: Output): string => table(sessions, sessionColumns, out)

const providerColumns: Column<SignInProvider>[] = [
  { title: 'PROVIDER', value: (provider) => provider.id },
  { title: 'NAME', value: (provider) => provider.name },
  { title: 'ISSUER', value: (provider) => provider.issuer, mayShrink: true },
  { title: 'CLIENT ID', value: (provider) => provider.clientId, mayShrink: true },
  { title: 'ENABLED', value: (provider) => provider.enabled, shown: (provider) => (provider.enabled ? 'yes' : 'no') },
]

export const providerList = (providers: SignInProvider[], out: Output): string => table(providers, providerColumns, out)
