import picocolors from 'picocolors'

export type Colors = ReturnType<typeof picocolors.createColors>

/** How a command prints: to a person on a terminal, to a program in a pipe, or as JSON. Data goes to stdout, all else to stderr. */
export interface Output {
  readonly json: boolean
  /** Tables with a header, colour, relative times, cut to the width; else tabs, exact values, nothing cut. */
  readonly forPeople: boolean
  readonly width: number
  readonly colors: Colors
  readonly now: Date
  /** Whether somebody can be asked. */
  readonly canAsk: boolean
  /** Whether stderr is a terminal: progress may be drawn. */
  readonly canDraw: boolean
  /** A line or more of data. */
  data(text: string): void
  /** A message beside the data. Not with `--quiet`. */
  say(text: string): void
}

export interface OutputOptions {
  json?: boolean
  plain?: boolean
  color?: boolean
  quiet?: boolean
  input?: boolean
}

/** @param colored undefined: as the terminal and NO_COLOR say */
export function outputTo(
  options: OutputOptions,
  env: { noColor: boolean; forceColor: boolean; isDumbTerminal: boolean },
): Output {
  const { stdin, stdout, stderr } = process
  const forPeople = stdout.isTTY === true && !options.plain && !options.json
  const wantsColor = options.color !== false && !env.noColor && !options.plain
  return {
    json: options.json === true,
    forPeople,
    width: stdout.columns ?? 100,
    colors: picocolors.createColors(wantsColor && (env.forceColor || (forPeople && !env.isDumbTerminal))),
    now: new Date(),
    canAsk: stdin.isTTY === true && stderr.isTTY === true && options.input !== false,
    canDraw: stderr.isTTY === true && !env.isDumbTerminal && !options.quiet && !options.plain,
    data: (text) => void (text === '' || stdout.write(text.endsWith('\n') ? text : `${text}\n`)),
    say: (text) => void (options.quiet || stderr.write(`${text}\n`)),
  }
}

/** Prints an object of the API: as it is with `--json`, else as `view` shows it. */
export function print<T>(out: Output, value: T, view: (value: T, out: Output) => string): void {
  out.data(out.json ? JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined) : view(value, out))
}
