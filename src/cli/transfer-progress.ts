import { formatSize } from '../config/size.ts'
import type { CliIo } from './cli-context.ts'

export type TransferProgress = Disposable & { readonly show: (what: string, done: number, total: number) => void }

/** At most so often a line is written again, in ms. */
const EVERY_MS = 200

/** Shows on stderr how much of a transfer is done: on a terminal one line that is written again, elsewhere a line when something is done. */
export function showTransfer(io: CliIo): TransferProgress {
  let last = Number.NEGATIVE_INFINITY
  let drawn = false
  const told = new Set<string>()
  return {
    show(what, done, total) {
      const complete = done >= total
      if (!io.interactive) {
        if (complete && !told.has(what)) io.stderr.write(`${what}: ${formatSize(total)}\n`)
        if (complete) told.add(what)
        return
      }
      if (!complete && io.clock() - last < EVERY_MS) return
      last = io.clock()
      drawn = true
      io.stderr.write(`\r\x1b[2K${what}: ${formatSize(done)} of ${formatSize(total)}`)
    },
    [Symbol.dispose]() {
      if (drawn) io.stderr.write('\r\x1b[2K')
    },
  }
}
