import { Command } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { accessNamed } from '../lists.ts'
import type { Why } from '../shapes.ts'
import { print } from '../views/output.ts'
import { whyView } from '../views/why.ts'

const why = new Command('why')
  .description('why a person has an access, or why not')
  .argument('<person>', 'user name, e-mail or id')
  .argument('<access>', 'SITE/PRODUCT/ROLE')
  .action(async (person: string, access: string, _options: object, command: Command) => {
    const query = accessNamed(access)
    const { api, out } = await contextOf(command)
    print(out, await answer<Why>(api.GET('/api/v1/people/{person}/access/why', { params: { path: { person }, query } })), whyView)
  })

export const access = new Command('access').description('who may do what: {why}').addCommand(why)
