import { type Command, Option } from 'commander'

export interface PastOptions {
  at?: string
  since?: string
}

/** The options of a list that can be asked for a moment of the past, or for what is other than it was then. */
export function addPastOptions(command: Command): Command {
  return command
    .addOption(new Option('--at <moment>', 'as of then: a time (2026-11-24T09:12:00Z), a day, or the id of a log entry'))
    .addOption(new Option('--since <moment>', 'what is other than it was then').conflicts('at'))
}
