import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { addListOptions, type ListOptions, listQuery, printList } from '../../lists.ts'
import type { DeletedGroup, Listed } from '../../shapes.ts'
import { deletedGroupList } from '../../views/deleted-groups.ts'

export const deletedGroups = addListOptions(
  new Command('deleted').description('groups that were deleted, and until when they can be restored'),
).action(async (options: ListOptions, command: Command) => {
  const { api, out } = await contextOf(command)
  const listed = await answer<Listed<DeletedGroup>>(api.GET('/api/v1/deleted-groups', { params: { query: listQuery(options) } }))
  printList(out, listed, deletedGroupList, 'No deleted group can be restored.')
})
