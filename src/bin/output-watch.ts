import { EXIT } from '../cli/exit-code.ts'

type Output = Pick<NodeJS.EventEmitter, 'on'> & { readonly write: (text: string) => unknown }
type OutputSource = { readonly stdout: Output; readonly stderr: Output; exitCode?: number | string | null | undefined }

const UNWRITTEN = {
  code: 'output-unwritten',
  message: 'the answer could not be written to where it was sent',
  hint: 'make room there, or send it elsewhere, and run it again',
} as const

/**
 * Whoever reads our output may have read enough, and work goes on when nobody reads its progress: a closed pipe is no failure. An answer
 * that was lost otherwise, such as to a full disk behind a redirection, is none: `lost`, and the exit code says so.
 */
export function watchOutput(process: OutputSource): { readonly lost: () => boolean } {
  let lost = false
  process.stderr.on('error', () => {
    // There is no other place to tell it.
  })
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost || error.code === 'EPIPE') return
    lost = true
    // The write may turn out to have failed after everything else is over.
    process.exitCode = EXIT.unknown
    process.stderr.write(`bitwitness: ${UNWRITTEN.message} (${UNWRITTEN.code})\n  ${UNWRITTEN.hint}\n`)
  })
  return { lost: () => lost }
}
