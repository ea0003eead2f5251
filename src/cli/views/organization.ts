import type { AccessOfPerson, Group, Person } from '../shapes.ts'
import { count } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

const groupColumns: Column<Group>[] = [
  { title: 'GROUP', value: (group) => group.name, mayShrink: true },
  { title: 'MEMBERS', align: 'right', value: (group) => group.memberCount, shown: (group) => count(group.memberCount) },
  { title: 'MANAGED BY', value: (group) => group.managedBy?.name },
]

export const groupList = (groups: Group[], out: Output): string => table(groups, groupColumns, out)

export const groupView = (group: Group, out: Output): string =>
  facts(
    [
      ['Group', group.name],
      ['Description', group.description ?? ''],
      ['Members', count(group.memberCount)],
      ['Access', `${count(group.grantCount)} granted${group.isDefaultAccess ? ', default access group' : ''}`],
      ['Protected', group.isProtected ? 'yes' : 'no'],
      ['Managed by', group.managedBy ? `${group.managedBy.name}: change it there` : 'nobody: it can be changed here'],
    ],
    out,
  )

const personColumns: Column<Person>[] = [
  { title: 'USER NAME', value: (person) => person.userName },
  { title: 'E-MAIL', value: (person) => person.email, mayShrink: true },
  { title: 'NAME', value: (person) => person.displayName },
  { title: 'ACTIVE', value: (person) => person.active, shown: (person) => (person.active ? 'yes' : 'no') },
]

export const personList = (people: Person[], out: Output): string => table(people, personColumns, out)

export const personView = (person: Person, out: Output): string =>
  facts(
    [
      ['User name', person.userName],
      ['E-mail', person.email ?? ''],
      ['Name', person.displayName ?? ''],
      ['Active', person.active ? 'yes' : 'no'],
    ],
    out,
  )

const accessColumns: Column<AccessOfPerson>[] = [
  { title: 'SITE', value: (access) => access.site },
  { title: 'PRODUCT', value: (access) => access.product },
  { title: 'ROLE', value: (access) => access.role },
  { title: 'THROUGH', value: (access) => access.through.join(', '), mayShrink: true },
]

export const accessList = (access: AccessOfPerson[], out: Output): string => table(access, accessColumns, out)
