import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './repository.ts'

const folder = process.env['BITWITNESS_DSTACK_EVIDENCE'] ?? path.join(root, '..', 'shared', 'fixtures', 'dstack')

/** Evidence of real machines, which is not part of the repository; undefined where it is not at hand, which is said. */
export function realEvidence(): ((name: string) => Buffer) | undefined {
  if (existsSync(path.join(folder, 'report.json'))) return (name) => readFileSync(path.join(folder, name))
  process.stderr.write('no evidence of real machines is at hand: BITWITNESS_DSTACK_EVIDENCE names a folder of it\n')
  return undefined
}
