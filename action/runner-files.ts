import { randomUUID } from 'node:crypto'
import { appendFile, stat } from 'node:fs/promises'
import { visible } from '../verifier/model/visible.ts'

/** GitHub takes a mebibyte of summary from a step, and refuses all of a larger one. */
const MOST_SUMMARY = 1_000_000

/**
 * Sets outputs of the step (GITHUB_OUTPUT). A value may come from an image: it is one line between marks that nobody could guess, so that
 * it can neither end early nor set another output.
 */
export async function setOutputs(file: string, outputs: Readonly<Record<string, string>>): Promise<void> {
  const blocks = Object.entries(outputs).map(([name, value]) => {
    const mark = `end-${randomUUID()}`
    return `${name}<<${mark}\n${visible(value)}\n${mark}\n`
  })
  await appendFile(file, blocks.join(''))
}

/** Adds Markdown to the summary of the job (GITHUB_STEP_SUMMARY), as much as it takes. */
export async function addSummary(file: string | null, lines: readonly string[]): Promise<void> {
  if (file === null) return
  const used = await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
  const kept: string[] = []
  let left = MOST_SUMMARY - used
  for (const line of lines) {
    left -= Buffer.byteLength(line) + 1
    if (left < 200) break
    kept.push(line)
  }
  // What was open is closed, so that the note is seen.
  if (kept.length < lines.length) kept.push('', ...(isOpen(kept) ? ['</details>'] : []), '', '… the rest does not fit into a summary.')
  await appendFile(file, `${kept.join('\n')}\n`)
}

function isOpen(lines: readonly string[]): boolean {
  const counted = (mark: string): number => lines.filter((line) => line.startsWith(mark)).length
  return counted('<details>') > counted('</details>')
}
