import { Command } from 'commander'
import { createDirectory } from './directories/create.ts'
import { listDirectories } from './directories/list.ts'
import { directoryRequests } from './directories/requests.ts'
import { setDirectory } from './directories/set.ts'
import { showDirectory } from './directories/show.ts'
import { directoryTokens } from './directories/tokens.ts'

export const directories = new Command('directories')
  .description('the providers’ connections: {list|create|show|set|tokens|requests}')
  .addCommand(listDirectories)
  .addCommand(createDirectory)
  .addCommand(showDirectory)
  .addCommand(setDirectory)
  .addCommand(directoryTokens)
  .addCommand(directoryRequests)
