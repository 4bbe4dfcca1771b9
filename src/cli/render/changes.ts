import { visible } from '../../../verifier/model/visible.ts'
import type { ChangesDocument, FileChange, PackageVersionChange } from '../../app/changes/changes-document.ts'

const MARKS = { added: '+', removed: '-', changed: '~', upgraded: '↑', downgraded: '↓' } as const

/** What changed, for a terminal: packages, then files, those of no package first. */
export function changesLines({ verdict, older, newer, packages, files }: ChangesDocument): string[] {
  return [
    verdict,
    `- ${visible(older)}`,
    `+ ${visible(newer)}`,
    '',
    packagesHeading(packages),
    ...packages.changes.map((one) => `  ${MARKS[one.kind]} ${visible(packageName(one))} ${visible(versions(one))}`),
    ...(packages.of === null || packages.reason === null ? [] : [`  … ${packages.reason}`]),
    '',
    filesHeading(files),
    ...ofNoPackageFirst(files.changes).map((one) => `  ${MARKS[one.kind]} ${visible(one.path)}${fileNote(one)}`),
    ...(!files.compared || files.reason === null ? [] : [`  … ${files.reason}`]),
  ]
}

export function packagesHeading({ of, reason, totals }: ChangesDocument['packages']): string {
  if (of === null) return `Packages: not compared (${reason ?? ''})`
  const what = of === 'image' ? 'Packages' : 'Packages that the builds took, by their locks'
  return `${what}: ${counted(totals, ['added', 'removed', 'upgraded', 'downgraded'])}`
}

export function filesHeading({ compared, reason, totals }: ChangesDocument['files']): string {
  return compared ? `Files: ${counted(totals, ['added', 'removed', 'changed'])}` : `Files: not compared (${reason ?? ''})`
}

function counted<K extends string>(totals: Readonly<Record<K, number>>, words: readonly K[]): string {
  const said = words.filter((word) => totals[word] > 0).map((word) => `${totals[word]} ${word}`)
  return said.length === 0 ? 'no change' : said.join(', ')
}

/** What people look for: files that no change of a package explains. */
export function ofNoPackageFirst(changes: readonly FileChange[]): FileChange[] {
  return [...changes.filter((one) => one.package === null), ...changes.filter((one) => one.package !== null)]
}

export function packageName({ name, architecture }: PackageVersionChange): string {
  return architecture === null ? name : `${name}:${architecture}`
}

export function versions({ from, to }: PackageVersionChange): string {
  return from === null ? (to ?? '') : to === null ? from : `${from} → ${to}`
}

function fileNote({ kind, what, package: owner }: FileChange): string {
  const aspects = kind === 'changed' ? `  ${what.join(', ')}` : ''
  return owner === null ? aspects : `${aspects}  of ${visible(owner)}`
}
