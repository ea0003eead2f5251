import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { Failure } from '../failure.ts'
import { accessesNamed, again } from '../lists.ts'
import type { WhyGroup } from '../shapes.ts'
import { print } from '../views/output.ts'
import { whyGroupView, whyView } from '../views/why.ts'
import { whyOf } from '../why.ts'

export const why = new Command('why')
  .description('why a group is as it is; why a person has an access, or is in a group, or not')
  .argument('<who>', 'a person; or a group alone')
  .argument('[what]', 'an access, SITE/PRODUCT/ROLE, or a group')
  .option(
    '--sync <group>',
    'of an access: say what would be so if this pushed group were synced, or several; all if not said',
    again,
  )
  .action(async (who: string, what: string | undefined, { sync }: { sync?: string[] }, command: Command) => {
    const { api, out } = await contextOf(command)
    const ofGroup = (group: string, person?: string) =>
      answer<WhyGroup>(
        api.GET('/api/v1/groups/{group}/why', { params: { path: { group }, query: person === undefined ? {} : { person } } }),
      )
    if (what === undefined) return print(out, await ofGroup(who), whyGroupView)
    // A group's name may hold slashes too: it is asked for first.
    try {
      print(out, await ofGroup(what, who), whyGroupView)
    } catch (error) {
      if (!(error instanceof Failure) || what.split('/').length < 3 || !/group/.test(error.message)) throw error
      print(out, await whyOf(api, who, accessesNamed(what), sync), whyView)
    }
  })
