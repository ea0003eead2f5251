import { readFileSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Loaded into each measured server (`--import`): says over IPC for how long its event loop was held, and how far its memory grew.
// Linux: the highest resident memory is read from /proc, and set back there.

const everyMs = 1
const delay = monitorEventLoopDelay({ resolution: everyMs })

process.on('message', (message) => {
  if (message === 'watch') {
    globalThis.gc?.()
    writeFileSync('/proc/self/clear_refs', '5')
    delay.reset()
    delay.enable()
    process.send?.({ watched: { heldMs: 0, residentMb: residentMb('VmRSS') } })
  }
  if (message === 'watched') {
    delay.disable()
    process.send?.({ watched: { heldMs: Math.max(0, delay.max / 1e6 - everyMs), residentMb: residentMb('VmHWM') } })
  }
})

function residentMb(what: string): number {
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1_024
}
