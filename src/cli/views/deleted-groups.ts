import type { DeletedGroup, DeletedGroupDetail, GroupDeletion, ThroughGroup } from '../shapes.ts'
import { ago, count, counted } from './numbers.ts'
import type { Output } from './output.ts'
import { type Column, table } from './table.ts'

const columns: Column<DeletedGroup>[] = [
  { title: 'GROUP', value: (group) => group.name, mayShrink: true },
  { title: 'MEMBERS', align: 'right', value: (group) => group.memberCount, shown: (group) => count(group.memberCount) },
  { title: 'GRANTS', align: 'right', value: (group) => group.grantCount, shown: (group) => count(group.grantCount) },
  { title: 'DELETED', value: (group) => group.deletedAt, shown: (group, out) => ago(group.deletedAt, out.now) },
  { title: 'BY', value: (group) => group.deletedBy },
  { title: 'UNTIL', value: (group) => group.restorableUntil, shown: (group) => group.restorableUntil.slice(0, 10) },
  { title: 'PUSHED BY', value: (group) => group.pushedBy?.name },
]

export const deletedGroupList = (groups: DeletedGroup[], out: Output): string => table(groups, columns, out)

/** What goes with a group that is deleted: the important first. */
export function takenWith({ name, takes }: GroupDeletion): string {
  const { access, members } = takes
  const left = access.withNoOther > 0 ? ` ${counted(access.withNoOther, 'person', 'people')} would be left with no access.` : ''
  return [
    access.people === 0
      ? `Deleting "${name}", with ${counted(members, 'member')}, takes access from nobody.`
      : `Deleting "${name}", with ${counted(members, 'member')}, takes ${counted(access.accesses, 'access', 'accesses')} from ${counted(access.people, 'person', 'people')}.${left}`,
    ...rolesOf(takes, 'lose'),
  ].join('\n')
}

/** What comes back with a group that is restored. */
export function givenWith({ name, restores, pushedBy }: DeletedGroupDetail): string {
  const { access, members } = restores
  return [
    access.people === 0
      ? `Restoring "${name}", with ${counted(members, 'member')}, gives nobody an access that they have not.`
      : `Restoring "${name}", with ${counted(members, 'member')}, gives ${counted(access.people, 'person', 'people')} ${counted(access.accesses, 'access', 'accesses')}.`,
    ...rolesOf(restores, 'gain'),
    ...(pushedBy ? [`${pushedBy.name} has pushed the name since: its group is then reviewed against the restored one.`] : []),
  ].join('\n')
}

const rolesOf = ({ roles }: ThroughGroup, verb: 'lose' | 'gain'): string[] =>
  roles
    .filter(({ people }) => people > 0)
    .map(({ site, product, role, people, isLastHolder }) => {
      const last = isLastHolder && verb === 'lose' ? ': nobody else has it' : ''
      return `  ${counted(people, 'person', 'people')} ${people === 1 ? `${verb}s` : verb} ${site}/${product}:${role}${last}`
    })
