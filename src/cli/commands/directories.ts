import { Command } from 'commander'
import { historyCommand } from '../history.ts'
import { createDirectory } from './directories/create.ts'
import { disconnectDirectory, disconnectedDirectories } from './directories/disconnect.ts'
import {
  goLive,
  observation,
  pauseDirectory,
  resetDirectory,
  resumeDirectory,
  resyncDirectory,
  takeOver,
} from './directories/life.ts'
import { listDirectories } from './directories/list.ts'
import { matches } from './directories/matches.ts'
import { directoryRequests } from './directories/requests.ts'
import { setDirectory } from './directories/set.ts'
import { showDirectory } from './directories/show.ts'
import { directoryTokens } from './directories/tokens.ts'

const history = historyCommand('a directory and by its pushes', '<directory>', (api, directory, query) =>
  api.GET('/api/v1/directories/{directory}/history', { params: { path: { directory }, query } }),
)

export const directories = new Command('directories')
  .description(
    'the providers’ connections: {list|create|show|set|observation|go-live|pause|resume|take-over|resync|reset|matches|tokens|requests|history|disconnect|disconnected}',
  )
  .addCommand(listDirectories)
  .addCommand(createDirectory)
  .addCommand(showDirectory)
  .addCommand(setDirectory)
  .addCommand(observation)
  .addCommand(goLive)
  .addCommand(pauseDirectory)
  .addCommand(resumeDirectory)
  .addCommand(takeOver)
  .addCommand(resyncDirectory)
  .addCommand(resetDirectory)
  .addCommand(matches)
  .addCommand(directoryTokens)
  .addCommand(directoryRequests)
  .addCommand(history)
  .addCommand(disconnectDirectory)
  .addCommand(disconnectedDirectories)
