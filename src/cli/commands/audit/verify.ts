import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { checkExport, type ExportCheck, type SignedHead } from '../../../client/log-export.ts'
import { type Api, answer } from '../../api.ts'
import { contextOf, outputOf } from '../../context.ts'
import { exit, Failure } from '../../failure.ts'
import type { StoredCheck } from '../../shapes.ts'
import { exportCheckView, storedCheckView } from '../../views/audit.ts'
import { type Output, print } from '../../views/output.ts'

interface Options {
  head?: string
  key?: string
}

export const verifyAudit = new Command('verify')
  .description('that nothing in the log was changed: of an export, off-line; without a file, of what the server has')
  .argument('[file]', 'what muster audit export wrote')
  .option('--head <file>', 'a head kept before (muster audit head --json): finds a tail that was cut, and a log written anew')
  .option('--key <id>', 'refuse unless the head is signed by this key')
  .action(async (file: string | undefined, options: Options, command: Command) => {
    if (file !== undefined) return verifyFile(file, options, outputOf(command))
    if (options.head !== undefined || options.key !== undefined)
      throw new Failure(
        exit.usage,
        'A head and a key are compared with an export.',
        'muster audit export -o FILE, then name it here',
      )
    const { api, out } = await contextOf(command)
    await verifyStored(api, out)
  })

async function verifyFile(file: string, { head, key }: Options, out: Output): Promise<void> {
  const known = head === undefined ? undefined : await readHead(head)
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  const found = await checkExport(lines, known).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      exit.failed,
      `${file} cannot be read: ${error.code ?? error.message}.`,
      'Name a file that muster audit export wrote.',
    )
  })
  const check = key === undefined ? found : signedBy(key, found)
  print(out, check, exportCheckView)
  if (check.fault)
    throw new Failure(exit.failed, check.fault.text, `Line ${check.fault.line} of ${file}. Compare it with another copy.`)
  if (check.head?.signature === null)
    out.say('The head is not signed: compare it with one that was kept elsewhere (--head FILE).')
}

function signedBy(key: string, check: ExportCheck): ExportCheck {
  if (check.fault || check.head?.key?.id === key) return check
  return {
    ...check,
    fault: { line: 0, entry: null, text: `The head is signed by ${check.head?.key?.id ?? 'nobody'}, not by the key ${key}.` },
  }
}

async function readHead(file: string): Promise<SignedHead> {
  try {
    const head = JSON.parse(await readFile(file, 'utf8')) as SignedHead
    if (typeof head.head.number === 'number' && typeof head.head.hash === 'string') return head
  } catch {
    // Said below: whatever it is, it is no head.
  }
  throw new Failure(exit.usage, `${file} is no head of a log.`, 'Keep one with: muster audit head --json > FILE')
}

async function verifyStored(api: Api, out: Output): Promise<void> {
  const sum: StoredCheck = { blocks: 0, entries: 0, unsealed: 0, fault: null, next: 0 }
  while (sum.next !== null && sum.fault === null) {
    const part = await answer<StoredCheck>(api.GET('/api/v1/audit/verification', { params: { query: { after: sum.next } } }))
    const { unsealed, fault, next } = part
    Object.assign(sum, { blocks: sum.blocks + part.blocks, entries: sum.entries + part.entries, unsealed, fault, next })
  }
  print(out, sum, storedCheckView)
  if (sum.fault) throw new Failure(exit.failed, sum.fault.text, 'Keep an export, and compare it with one of before.')
}
