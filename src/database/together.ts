/** What is to be done, and who waits for it. */
interface Waiting<Item, Result> {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Does together what comes while the last of its key is being done. Nothing waits for company: the first runs at once, alone, and what comes
 * meanwhile runs next, in its order, as one. Alone it costs what it costs; under load, the cost of a call is shared.
 * @param run does all of them and answers a result for each, in their order; if it throws, each is done again by itself
 * @param options `subject`: two of one subject are never done together; `size` of an item, and `most` that is done at once: what is larger
 *   runs by itself, and nothing waits for it
 */
export function together<Item, Result>(
  run: (items: Item[]) => Promise<Result[]>,
  { subject, size, most }: { subject: (item: Item) => string; size: (item: Item) => number; most: number },
): (key: string, item: Item) => Promise<Result> {
  const queues = new Map<string, Waiting<Item, Result>[]>()

  const work = async (key: string, queue: Waiting<Item, Result>[]) => {
    for (let batch = take(queue); batch.length > 0; batch = take(queue)) await settle(run, batch)
    queues.delete(key)
  }

  const take = (queue: Waiting<Item, Result>[]): Waiting<Item, Result>[] => {
    const subjects = new Set<string>()
    const batch: Waiting<Item, Result>[] = []
    const left: Waiting<Item, Result>[] = []
    let room = most
    for (const waiting of queue) {
      const isNext = !subjects.has(subject(waiting.item)) && size(waiting.item) <= room
      subjects.add(subject(waiting.item))
      if (isNext) room -= size(waiting.item)
      ;(isNext ? batch : left).push(waiting)
    }
    queue.splice(0, queue.length, ...left)
    return batch
  }

  return async (key, item) => {
    if (size(item) > most) return alone(run, item)
    return new Promise((resolve, reject) => {
      const queue = queues.get(key)
      if (queue) queue.push({ item, resolve, reject })
      else {
        const first = [{ item, resolve, reject }]
        queues.set(key, first)
        void work(key, first)
      }
    })
  }
}

/**
 * Does together what comes in one turn of the event loop: for what is soon over, of which any may be done at the same time. Nothing waits,
 * not even for the last to be done; the busier the process is, the more comes in a turn.
 * @param run as above
 * @param most so many are done at once
 */
export function togetherInTurn<Item, Result>(
  run: (items: Item[]) => Promise<Result[]>,
  most: number,
): (key: string, item: Item) => Promise<Result> {
  const coming = new Map<string, Waiting<Item, Result>[]>()

  const begin = (key: string): Waiting<Item, Result>[] => {
    const batch: Waiting<Item, Result>[] = []
    coming.set(key, batch)
    setImmediate(() => {
      if (coming.get(key) === batch) coming.delete(key)
      void settle(run, batch)
    })
    return batch
  }

  return (key, item) =>
    new Promise((resolve, reject) => {
      const known = coming.get(key)
      const batch = known !== undefined && known.length < most ? known : begin(key)
      batch.push({ item, resolve, reject })
    })
}

async function settle<Item, Result>(
  run: (items: Item[]) => Promise<Result[]>,
  batch: readonly Waiting<Item, Result>[],
): Promise<void> {
  try {
    const results = await run(batch.map(({ item }) => item))
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] as Result)
  } catch (error) {
    const [only, ...others] = batch
    if (others.length === 0) only?.reject(error)
    // None fails for another's sake.
    else await Promise.all(batch.map(({ item, resolve, reject }) => alone(run, item).then(resolve, reject)))
  }
}

async function alone<Item, Result>(run: (items: Item[]) => Promise<Result[]>, item: Item): Promise<Result> {
  return (await run([item]))[0] as Result
}
