import { visible } from '../../../verifier/model/visible.ts'
import type { WorkingDocument } from '../../app/service/working-document.ts'
import { paint } from './paint.ts'

/** For whom it works, and what its operator has to know. */
export function workingLines(facts: WorkingDocument, options: { readonly color: boolean }): string[] {
  const brushes = paint(options.color)
  const { coordinator, publicKey, version, architecture, slots, home } = facts
  return [
    `${brushes.good('Bitwitness')} ${visible(version)} works for ${coordinator}`,
    '',
    `  builds    ${visible(architecture)}, ${slots} at once`,
    `  home      ${visible(home)}`,
    `  key       ${publicKey}`,
    '            there, once: bitwitness worker add NAME and this key',
    '',
    'Ctrl-C stops it. What it has begun it brings to its end first, or gives back.',
  ]
}
