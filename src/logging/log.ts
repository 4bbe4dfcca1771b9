import { type Logger, pino } from 'pino'
import type { LogLevel } from '../config/log-levels.ts'

export type LogOptions = {
  readonly level: LogLevel
  /** Takes whole lines, such as those of stderr. */
  readonly write: (line: string) => void
}

/** One JSON object a line, with the level as a word and the time in UTC. */
export function openLog({ level, write }: LogOptions): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => write(inAscii(line)) },
  )
}

/** Nothing in a log moves a terminal or turns a line around: JSON escapes control characters below U+0020, and this the rest. */
function inAscii(line: string): string {
  return line.replaceAll(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
