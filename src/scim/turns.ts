/** Work over what may be long, which stops now and then so that others have their turn. */
export type Turns<T> = Generator<undefined, T>

/** Does it in one go. */
export function atOnce<T>(work: Turns<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** @param pause lets others have their turn */
export async function inTurns<T>(work: Turns<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    await pause()
  }
}
