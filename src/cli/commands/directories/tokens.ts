import { Command } from 'commander'
import { answer } from '../../api.ts'
import { contextOf } from '../../context.ts'
import { printList, wholeNumber } from '../../lists.ts'
import type { Listed, Token } from '../../shapes.ts'
import { tokenList } from '../../views/directories.ts'
import { print } from '../../views/output.ts'

const create = new Command('create')
  .description('another token, shown once; two may live at once, for rotation')
  .argument('<directory>')
  .option('--expires-in-days <n>', 'how long it is valid; a year if not said', wholeNumber)
  .action(async (directory: string, { expiresInDays }: { expiresInDays?: number }, command: Command) => {
    const { api, out } = await contextOf(command)
    const body = expiresInDays === undefined ? {} : { expiresInDays }
    const made = await answer<Token & { token: string }>(
      api.POST('/api/v1/directories/{directory}/tokens', { params: { path: { directory } }, body }),
    )
    print(out, made, ({ token }) => token)
    out.say('The token is shown this once: paste it at the provider now.')
  })

const list = new Command('list')
  .description('the tokens, the newest first')
  .argument('<directory>')
  .action(async (directory: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    printList(
      out,
      await answer<Listed<Token>>(api.GET('/api/v1/directories/{directory}/tokens', { params: { path: { directory } } })),
      tokenList,
    )
  })

const revoke = new Command('revoke')
  .description('end a token at once')
  .argument('<directory>')
  .argument('<token>', 'its id, as listed')
  .action(async (directory: string, token: string, _options: object, command: Command) => {
    const { api, out } = await contextOf(command)
    await answer(api.DELETE('/api/v1/directories/{directory}/tokens/{token}', { params: { path: { directory, token } } }))
    out.say('Revoked.')
  })

export const directoryTokens = new Command('tokens')
  .description('the tokens that a provider signs in with')
  .addCommand(list)
  .addCommand(create)
  .addCommand(revoke)
