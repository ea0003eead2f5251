import type {
  AccessChange,
  AccessOfPerson,
  Change,
  Grant,
  Group,
  Holder,
  HolderChange,
  Organization,
  Person,
  PersonChange,
} from '../shapes.ts'
import { count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, facts, table } from './table.ts'

export const organizationView = ({ name, slug, approval }: Organization, out: Output): string =>
  facts(
    [
      ['Organization', name],
      ['Called', slug],
      [
        'Approval',
        approval.peopleLosing === null
          ? 'no run needs it'
          : `of runs that take access from more than ${counted(approval.peopleLosing, 'person', 'people')}, within ${counted(approval.expiresHours, 'hour')}`,
      ],
    ],
    out,
  )

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

const whoColumns: Column<Pick<Person, 'userName' | 'email' | 'displayName'>>[] = [
  { title: 'USER NAME', value: (person) => person.userName },
  { title: 'E-MAIL', value: (person) => person.email, mayShrink: true },
  { title: 'NAME', value: (person) => person.displayName },
]
const personColumns: Column<Person>[] = [
  ...whoColumns,
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

const grantColumns: Column<Grant>[] = [
  { title: 'SITE', value: (access) => access.site },
  { title: 'PRODUCT', value: (access) => access.product },
  { title: 'ROLE', value: (access) => access.role },
]
const accessColumns: Column<AccessOfPerson>[] = [
  ...grantColumns,
  { title: 'THROUGH', value: (access) => access.through.join(', '), mayShrink: true },
]

export const accessList = (access: AccessOfPerson[], out: Output): string => table(access, accessColumns, out)

// A sign and a word, never the colour alone.
const changeColumn = <Row extends { change: Change }>(): Column<Row> => ({
  title: 'SINCE',
  value: ({ change }) => change,
  shown: ({ change }, { colors }) => (change === 'gained' ? colors.green('+ gained') : colors.red('− lost')),
})
const throughColumn = <Row extends { throughThen: string[]; throughNow: string[] }>(): Column<Row> => ({
  title: 'THROUGH',
  value: ({ throughThen, throughNow }) => [...throughThen, ...throughNow].join(', '),
  mayShrink: true,
})

const accessChangeColumns: Column<AccessChange>[] = [changeColumn(), ...grantColumns, throughColumn()]

/** What a person has gained and lost since a moment. */
export const accessChangeList = (found: AccessChange[], out: Output): string => table(found, accessChangeColumns, out)

const personChangeColumns: Column<PersonChange>[] = [changeColumn(), ...personColumns]

/** Who has come into a group since a moment, and who has gone. */
export const personChangeList = (found: PersonChange[], out: Output): string => table(found, personChangeColumns, out)

const holderColumns: Column<Holder>[] = [
  ...whoColumns,
  { title: 'THROUGH', value: ({ through }) => through.join(', '), mayShrink: true },
]

/** Who has a role. */
export const holderList = (found: Holder[], out: Output): string => table(found, holderColumns, out)

const holderChangeColumns: Column<HolderChange>[] = [changeColumn(), ...whoColumns, throughColumn()]

/** Who has gained a role since a moment, and who has lost it. */
export const holderChangeList = (found: HolderChange[], out: Output): string => table(found, holderChangeColumns, out)
