import type { AttemptEvent } from '../../verifier/model/event.ts'
import { shortened, visible } from '../../verifier/model/visible.ts'
import { formatSize } from '../config/size.ts'
import type { CliIo } from './cli-context.ts'

export type Progress = { readonly emit: (event: AttemptEvent) => void; readonly close: () => void }

type Running = { readonly since: number; bytes: number | null; total: number | null }

/**
 * Shows events on stderr: on a terminal one line that is written again while stages run, elsewhere a line for each thing that happened.
 * Log lines show only where they were asked for; all of them are in the report's log blob.
 */
export function showProgress(io: CliIo, options: { readonly verbose: boolean }): Progress {
  const running = new Map<string, Running>()
  let lastLog = ''
  const clear = (): void => {
    if (io.interactive) io.stderr.write('\r\x1b[2K')
  }
  const line = (text: string): void => {
    clear()
    io.stderr.write(`${text}\n`)
  }
  const draw = (): void => {
    if (!io.interactive || running.size === 0) return
    const parts = [...running].map(([label, state]) => `${label} ${elapsed(io.clock() - state.since)}${moved(state)}`)
    io.stderr.write(`\r\x1b[2K${shortened([...parts, lastLog].filter((part) => part !== '').join('  '), io.columns - 1)}`)
  }
  const timer = io.interactive ? setInterval(draw, 500) : undefined
  timer?.unref()

  const told = new Set<string>()
  const emit = (event: AttemptEvent): void => {
    const attempt = event.attempt === 0 ? '' : `attempt ${event.attempt}: `
    switch (event.kind) {
      case 'stage-started':
        running.set(`${attempt}${event.stage}`, { since: io.clock(), bytes: null, total: null })
        if (!io.interactive) line(`${attempt}${event.stage} …`)
        break
      case 'stage-ended': {
        const state = running.get(`${attempt}${event.stage}`)
        running.delete(`${attempt}${event.stage}`)
        lastLog = ''
        line(`${attempt}${event.stage} took ${seconds(event.ms)}${state === undefined ? '' : moved(state)}`)
        break
      }
      case 'bytes': {
        const state = running.get(`${attempt}${event.stage}`)
        if (state !== undefined) [state.bytes, state.total] = [event.done, event.total]
        break
      }
      case 'log':
        lastLog = visible(event.line)
        if (options.verbose) line(`${attempt}${visible(event.line)}`)
        break
      case 'finding': {
        // One line a rule: the answer at the end lists every place.
        const { rule, severity, message } = event.finding
        if (!told.has(rule)) line(`${severity} ${rule}: ${visible(message)}`)
        told.add(rule)
        break
      }
    }
    draw()
  }
  return {
    emit,
    close: () => {
      clearInterval(timer)
      clear()
    },
  }
}

function moved({ bytes, total }: Running): string {
  if (bytes === null) return ''
  return total === null ? `, ${formatSize(bytes)}` : `, ${formatSize(bytes)} of ${formatSize(total)}`
}

function elapsed(ms: number): string {
  const whole = Math.floor(ms / 1000)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** `0.4 s`, `41 s`, `3 min 5 s`. */
export function seconds(ms: number): string {
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const whole = Math.round(ms / 1000)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
