import cliProgress from 'cli-progress'
import { count } from './numbers.ts'
import type { Output } from './output.ts'

export interface Progress {
  show(done: number, total: number, note?: string): void
  end(): void
}

/** Progress on stderr: a bar on a terminal; off it a line every 10 % or every 5 s, whichever comes first; nothing with `--quiet`. */
export function progress(out: Output, label: string): Progress {
  return out.canDraw ? bar(label, out) : lines(label, out)
}

function bar(label: string, out: Output): Progress {
  const drawn = new cliProgress.SingleBar({
    format: `${label.padEnd(8)} ▕{bar}▏ {value}/{total}  {note}`,
    stream: process.stderr,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: ' ',
    hideCursor: false,
    noTTYOutput: false,
    fps: 10,
    gracefulExit: false,
    clearOnComplete: false,
  })
  let isStarted = false
  return {
    show: (done, total, note = '') => {
      if (!isStarted) drawn.start(total, done, { note: '' })
      isStarted = true
      drawn.update(done, { note: note === '' ? '' : out.colors.dim(note) })
    },
    end: () => drawn.stop(),
  }
}

function lines(label: string, out: Output): Progress {
  let told = { tenth: 0, at: performance.now() }
  return {
    show: (done, total, note = '') => {
      const now = performance.now()
      const tenth = total === 0 ? 10 : Math.floor((done * 10) / total)
      if (tenth === told.tenth && now - told.at < 5_000) return
      told = { tenth, at: now }
      out.say(`${label}: ${count(done)} of ${count(total)}${note === '' ? '' : `, ${note}`}`)
    },
    end: () => {},
  }
}
