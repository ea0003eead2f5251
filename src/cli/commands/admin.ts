import { Command, Option } from 'commander'
import { answer } from '../api.ts'
import { contextOf } from '../context.ts'
import { addListOptions, again, type ListOptions, listQuery, printList } from '../lists.ts'
import type { Admin, Listed, SignInLink } from '../shapes.ts'
import { adminList } from '../views/admins.ts'
import { type Output, print } from '../views/output.ts'
import { adminLink } from './admin/link.ts'

const roles = ['auditor', 'reviewer', 'admin', 'owner'] as const
type Role = (typeof roles)[number]

const roleOption = () => new Option('--role <role>', 'auditor reads; reviewer decides about given products').choices(roles)
const productOption = () => new Option('--product <site/product>', 'of a reviewer; may be given again').argParser<string[]>(again)

const list = addListOptions(new Command('list').description('who signs in to the console'))
  .addOption(roleOption())
  .action(async ({ role, ...options }: ListOptions & { role?: Role }, command: Command) => {
    const { api, out } = await contextOf(command)
    const query = { ...listQuery(options), ...(role === undefined ? {} : { role }) }
    printList(
      out,
      await answer<Listed<Admin>>(api.GET('/api/v1/admins', { params: { query } })),
      adminList,
      'Nobody. On the server: muster admin link',
    )
  })

interface Rights {
  role: Role
  product?: string[]
}

const rightsOf = ({ role, product }: Rights) => ({ role, ...(product === undefined ? {} : { products: product }) })

const invite = new Command('invite')
  .description('have somebody sign in; prints a link that does so once')
  .argument('<person>', 'a user name or e-mail; of somebody new, the e-mail')
  .addOption(roleOption().makeOptionMandatory())
  .addOption(productOption())
  .option('--name <name>', 'what somebody new is called')
  .action(async (person: string, { name, ...rights }: Rights & { name?: string }, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = { person, ...rightsOf(rights), ...(name === undefined ? {} : { displayName: name }) }
    const made = await answer<{ admin: Admin; link: SignInLink }>(api.POST('/api/v1/admins', { body }))
    print(out, made, ({ link }) => link.url)
    tellOnce(out, made.admin.userName)
  })

const renew = new Command('invite-again')
  .description('another link that signs somebody in once')
  .argument('<person>')
  .action(async (person: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    const made = await answer<SignInLink>(api.POST('/api/v1/admins/{person}/link', { params: { path: { person } } }))
    print(out, made, ({ url }) => url)
    tellOnce(out, person)
  })

const tellOnce = (out: Output, person: string) =>
  out.say(`It signs ${person} in, once, within 10 minutes. Give it to them and to nobody else.`)

const set = new Command('set')
  .description('change what somebody may do')
  .argument('<person>')
  .addOption(roleOption().makeOptionMandatory())
  .addOption(productOption())
  .action(async (person: string, rights: Rights, command: Command) => {
    const { api, out } = await contextOf(command)
    const admin = await answer<Admin>(
      api.PATCH('/api/v1/admins/{person}', { params: { path: { person } }, body: rightsOf(rights) }),
    )
    print(out, admin, () => adminList([admin], out))
  })

const remove = new Command('remove')
  .description('have somebody sign in no more; their sessions and own tokens end')
  .argument('<person>')
  .action(async (person: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE('/api/v1/admins/{person}', { params: { path: { person } } }))
    out.say(`${person} signs in no more.`)
  })

export const admin = new Command('admin')
  .description('who signs in to the console: {list|invite|invite-again|set|remove|link}')
  .addCommand(list, { isDefault: true })
  .addCommand(invite)
  .addCommand(renew)
  .addCommand(set)
  .addCommand(remove)
  .addCommand(adminLink)
