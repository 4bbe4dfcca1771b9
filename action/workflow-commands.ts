import { randomUUID } from 'node:crypto'

/** An annotation. Its text cannot be another command: what would end it is escaped as GitHub wants it. */
export function errorCommand(text: string): string {
  return `::error::${text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}\n`
}

/** A secret that GitHub is to black out wherever it shows in the log. */
export function maskCommand(secret: string): string {
  return `::add-mask::${secret.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')}\n`
}

/**
 * Text that a build wrote may look like a command to the runner (`::set-output`, `::add-path`, `##[…]`). Between the two lines nothing does:
 * the runner listens again only at a word that was drawn for this run.
 */
export function unheard(): { readonly begin: string; readonly end: string } {
  const word = randomUUID()
  return { begin: `::stop-commands::${word}\n`, end: `::${word}::\n` }
}
