import type { ChangesDocument } from '../../app/changes/changes-document.ts'
import { filesHeading, ofNoPackageFirst, packageName, packagesHeading } from './changes.ts'
import { code, table } from './markdown.ts'

/** Rows of one table: a job summary has an end, and a reader too. */
const MOST = 200

/** What changed, as Markdown for a job summary or a release page. No text of an image is anything but text in it. */
export function changesMarkdown({ verdict, older, newer, packages, files }: ChangesDocument): string[] {
  const shown = ofNoPackageFirst(files.changes)
  return [
    `### What changed: ${verdict}`,
    '',
    `From ${code(older)} to ${code(newer)}.`,
    '',
    `**${packagesHeading(packages)}**`,
    ...folded(
      'Packages',
      ['Package', 'From', 'To', ''],
      packages.changes.map((one) => [code(packageName(one)), cell(one.from), cell(one.to), one.kind]),
      packages.totals.unlisted,
    ),
    '',
    `**${filesHeading(files)}**`,
    ...folded(
      'Files',
      ['File', '', 'What', 'Package'],
      shown.map(({ path, kind, what, package: owner }) => [code(path), kind, kind === 'changed' ? what.join(', ') : '', cell(owner)]),
      files.totals.unlisted,
    ),
  ]
}

function cell(text: string | null): string {
  return text === null ? '' : code(text)
}

function folded(title: string, head: readonly string[], rows: readonly (readonly string[])[], unlisted: number): string[] {
  if (rows.length === 0) return []
  const more = Math.max(0, rows.length - MOST) + unlisted
  const rest = more === 0 ? [] : ['', `… and ${more} more`]
  return ['', `<details><summary>${title}</summary>`, ...table(head, rows.slice(0, MOST)), ...rest, '', '</details>']
}
