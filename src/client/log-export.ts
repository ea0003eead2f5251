import { createHash, createPublicKey, type Hash, verify } from 'node:crypto'

// An export of the log, checked from itself alone: no server, no database. Its format is in docs/reference-log.md.

/** How far a log was sealed, and who vouches for it. */
export interface SignedHead {
  head: {
    organization: string
    number: number
    hash: string
    entries: number
    last: string
    sealedAt: string | null
  }
  key: { id: string; publicKey: string } | null
  signature: string | null
}

/** What was found of an export. */
export interface ExportCheck {
  organization: { id: string; slug: string; name: string } | null
  /** The block behind which it begins; what is before is known by a kept head of that block only. */
  after: number
  blocks: number
  entries: number
  /** The head at its end. */
  head: SignedHead | null
  /** What is wrong, first of all; null: nothing is. `line` is the file's, from 1. */
  fault: { line: number; entry: string | null; text: string } | null
}

interface Seal {
  count: number
  first: string
  last: string
  number: number
  organization: string
  previous: string
  sealedAt: string
}

interface SealLine {
  seal: Seal
  hash: string
  /** The SHA-256 of each entry, one after the other, base64. */
  entries: string
}

type Line = Record<string, unknown>

/**
 * Checks an export from beginning to end, one block in memory at a time: each entry against its seal, each seal against the one before it,
 * the last one against the head, the head against its signature.
 * @param known a head that was kept before: the export must go at least as far, and say the same up to there
 */
export async function checkExport(lines: AsyncIterable<string>, known?: SignedHead): Promise<ExportCheck> {
  const reading: Reading = {
    organization: null,
    after: 0,
    blocks: 0,
    entries: 0,
    head: null,
    known,
    number: 0,
    hash: noHash,
    last: 0n,
    ids: [],
    hashes: [],
  }
  let line = 0
  const found = (fault: ExportCheck['fault']): ExportCheck => {
    const { organization, after, blocks, entries, head } = reading
    return { organization, after, blocks, entries, head, fault }
  }
  try {
    if (known?.key && !isSigned(known)) throw new Fault('The kept head is not signed by the key that it names.')
    for await (const text of lines) {
      line++
      readLine(reading, jsonOf(text), line === 1)
    }
    if (line === 0) throw new Fault('The file is empty.')
    if (reading.head === null) throw new Fault('There is no head at the end: the export was cut.', reading.ids[0])
    return found(null)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return found({ line: line - error.linesBack, entry: error.entry, text: error.message })
  }
}

class Fault extends Error {
  readonly entry: string | null
  /** It is so many lines before the one that showed it. */
  readonly linesBack: number
  constructor(text: string, entry: string | null = null, linesBack = 0) {
    super(text)
    this.name = 'Fault'
    this.entry = entry
    this.linesBack = linesBack
  }
}

/** What was read so far. */
interface Reading extends Omit<ExportCheck, 'fault'> {
  readonly known: SignedHead | undefined
  /** Of the last block; its hash is not known before an export that begins in the middle. */
  number: number
  hash: string | undefined
  last: bigint
  /** Entries since the last block. */
  ids: string[]
  hashes: Buffer[]
}

function readLine(reading: Reading, line: Line | undefined, isFirst: boolean): void {
  if (line === undefined) throw new Fault('This line is no JSON object.', reading.ids.at(-1))
  if (isFirst) readBeginning(reading, line)
  else if (reading.head !== null) throw new Fault('There is something behind the head.')
  else if ('seal' in line) readSeal(reading, line as unknown as SealLine)
  else if ('head' in line) readHead(reading, line as unknown as SignedHead)
  else readEntry(reading, line)
}

function readBeginning(reading: Reading, { export: format, version, organization, after = 0 }: Line): void {
  if (format !== 'muster-log' || version !== 1) throw new Fault('This is no export of a log: muster audit export makes one.')
  reading.organization = organization as ExportCheck['organization']
  reading.after = reading.number = Number(after)
  const known = reading.known?.head
  if (known !== undefined && known.number < reading.number)
    throw new Fault(`The export begins behind block ${reading.number}, and the kept head is of block ${known.number}.`)
  if (reading.number > 0) reading.hash = known?.number === reading.number ? known.hash : undefined
}

function readEntry({ number, ids, hashes }: Reading, line: Line): void {
  const id = String(line.id)
  if (!/^\d{1,19}$/.test(id)) throw new Fault('This line is no entry.', ids.at(-1))
  ids.push(id)
  hashes.push(sha256().update(canonical(line)).digest())
  // No block has so many: its seal is missing, and is not waited for.
  if (ids.length > mostEntries) throw new Fault(`The seal of block ${number + 1} is missing.`, ids[0])
}

function readSeal(reading: Reading, { seal, hash, entries }: SealLine): void {
  const { number, count, last } = seal
  const { ids, hashes } = reading
  const sealed = Buffer.from(entries, 'base64')
  const isItsHash =
    sha256()
      .update(canonical(seal as unknown as Line))
      .update(sealed)
      .digest('hex') === hash
  if (number !== reading.number + 1) throw new Fault(`Block ${reading.number + 1} is missing: block ${number} follows.`, ids[0])
  if (seal.organization !== reading.organization?.id) throw new Fault(`Block ${number} is of another organization.`, ids[0])
  if (reading.hash !== undefined && seal.previous !== reading.hash)
    throw new Fault(`Block ${number} does not follow from the block before it: one of them was written anew.`, ids[0])
  if (!isItsHash) throw new Fault(`Block ${number} is not what was sealed.`, ids[0])
  if (!Buffer.concat(hashes).equals(sealed)) throw wrongEntry(number, ids, hashes, sealed)
  if (!areItsEntries(seal, ids, reading.last))
    throw new Fault(`The entries of block ${number} are not those that it names.`, ids[0])
  const known = reading.known?.head
  if (known?.number === number && known.hash !== hash)
    throw new Fault(`Block ${number} is another one than when the head was kept: the log was written anew.`, ids[0])
  Object.assign(reading, { number, hash, last: BigInt(last), ids: [], hashes: [] })
  reading.blocks++
  reading.entries += count
}

function areItsEntries({ first, last, count }: Seal, ids: readonly string[], before: bigint): boolean {
  const isAscending = ids.every((id, at) => BigInt(id) > (at === 0 ? before : BigInt(ids[at - 1] ?? 0)))
  return isAscending && ids.length === count && ids[0] === first && ids.at(-1) === last
}

/** Which entry of a block is the first that is wrong, and in what way. */
function wrongEntry(number: number, ids: readonly string[], hashes: readonly Buffer[], sealed: Buffer): Fault {
  const found = hashes.map((hash) => hash.toString('hex'))
  const wanted = Array.from({ length: sealed.length / 32 }, (_, at) => sealed.subarray(at * 32, at * 32 + 32).toString('hex'))
  const at = found.findIndex((hash, place) => hash !== wanted[place])
  const place = at < 0 ? found.length : at
  const id = ids[place]
  const where = `at place ${place + 1} of block ${number}`
  if (id === undefined) return new Fault(`An entry is missing ${where}.`)
  const [belongsLater, comesLater] = [wanted.includes(found[place] ?? '', place), found.includes(wanted[place] ?? '', place)]
  const fault = (text: string) => new Fault(text, id, ids.length - place)
  if (belongsLater && comesLater) return fault(`Entries were swapped: entry ${id} is ${where}.`)
  if (belongsLater) return fault(`An entry was deleted: entry ${id} is ${where}, and another was.`)
  if (comesLater) return fault(`Entry ${id} was inserted, ${where}.`)
  return fault(`Entry ${id} was changed, ${where}.`)
}

function readHead(reading: Reading, signed: SignedHead): void {
  const { known, number, hash, ids } = reading
  const { head, key } = signed
  reading.head = signed
  if (ids.length > 0) throw new Fault('Entries before the head are in no block.', ids[0])
  if (head.number !== number || (hash !== undefined && head.hash !== hash))
    throw new Fault(`The head is of block ${head.number}, and the export ends with block ${number}: it was cut, or written anew.`)
  if (reading.after === 0 && head.entries !== reading.entries)
    throw new Fault(`The head is of ${head.entries} entries, and the export has ${reading.entries}.`)
  if (key !== null && !isSigned(signed)) throw new Fault('The head is not signed by the key that it names.')
  if (known === undefined) return
  if (known.head.organization !== head.organization) throw new Fault('The kept head is of another organization.')
  if (known.head.number > number)
    throw new Fault(`The export ends with block ${number}, and the kept head is of block ${known.head.number}: its tail was cut.`)
  if (known.key !== null && key?.id !== known.key.id)
    throw new Fault(
      `The head is signed by ${key === null ? 'nobody' : `the key ${key.id}`}, and the kept one by the key ${known.key.id}.`,
    )
}

const noHash = '0'.repeat(64)
const mostEntries = 10_000

const sha256 = (): Hash => createHash('sha256')

/** RFC 8785 of a flat object of texts, whole numbers, lists of texts and null: its keys in order. */
function canonical(object: Line): string {
  const keys = Object.keys(object).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(object[key])}`).join(',')}}`
}

function isSigned({ head, key, signature }: SignedHead): boolean {
  if (key === null || signature === null) return false
  try {
    const spki = Buffer.from(key.publicKey, 'base64')
    const isItsId = sha256().update(spki).digest('hex').startsWith(key.id) && key.id.length === 16
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return isItsId && verify(null, Buffer.from(canonical(head)), publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

function jsonOf(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : undefined
  } catch {
    return undefined
  }
}
