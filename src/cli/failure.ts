/** What the command line's exit codes mean; the table of them is in its help. */
export const exit = {
  done: 0,
  failed: 1,
  changes: 2,
  runIncomplete: 3,
  signIn: 4,
  reviewChanged: 5,
  refused: 6,
  awaitsApproval: 7,
  usage: 64,
  interrupted: 130,
} as const

export type ExitCode = (typeof exit)[keyof typeof exit]

/** A command cannot go on: one line why, one line what to do, and the exit code. */
export class Failure extends Error {
  readonly code: ExitCode
  readonly advice: string
  /** What `--json` prints of it: the API's own problem, if there is one. */
  readonly problem: unknown
  constructor(code: ExitCode, why: string, advice: string, problem?: unknown) {
    super(why)
    this.name = 'Failure'
    this.code = code
    this.advice = advice
    this.problem = problem
  }
}
