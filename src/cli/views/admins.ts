import type { Admin, Session } from '../shapes.ts'
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
