import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { InputLock } from '../../verifier/model/lock.ts'
import { contentEqualReport, goldenReport, LAPTOP, nondeterministicReport, SERVICE } from '../testing/reports.ts'
import { decodeStatement } from './decode.ts'
import { encodeStatement } from './encode.ts'
import { provenanceOf } from './provenance.ts'
import type { Statement } from './statement.ts'
import { statementsOf } from './statements.ts'
import { decision } from './testing/decision.ts'
import { vsaOf } from './vsa.ts'

const folder = path.join(import.meta.dirname, '../testdata')
const read = (file: string): Uint8Array => readFileSync(path.join(folder, file))
const lock = InputLock.parse(
  JSON.parse(readFileSync(path.join(import.meta.dirname, '../../verifier/model/testdata/input-lock.json'), 'utf8')),
)

const reproduced = goldenReport('reproduced')
const made: Readonly<Record<string, readonly Statement[]>> = {
  reproduced: statementsOf(reproduced, SERVICE),
  'reproduced-laptop': [provenanceOf(reproduced, LAPTOP, { sha256: reproduced.lock ?? LAPTOP.reportDigest, lock })],
  'content-equal': statementsOf(contentEqualReport(), SERVICE),
  mismatch: statementsOf(goldenReport('mismatch'), SERVICE),
  nondeterministic: statementsOf(nondeterministicReport(), SERVICE),
  'build-failed': statementsOf(goldenReport('build-failed'), SERVICE),
  refused: statementsOf(goldenReport('refused'), SERVICE),
  passed: [vsaOf(decision({ tier: 'bit-exact' }))],
  failed: [vsaOf(decision(null))],
}
const files = Object.entries(made).flatMap(([name, statements]) =>
  statements.map((statement) => [`${name}.${shortName(statement.predicateType)}.json`, statement] as const),
)

function shortName(predicateType: string): string {
  return /([a-z_-]+)\/v1$/.exec(predicateType)?.[1] ?? predicateType
}

describe('the golden statements', () => {
  it.each(files)('%s is what is made today', async (file, statement) => {
    await expect(new TextDecoder().decode(encodeStatement(statement))).toMatchFileSnapshot(path.join(folder, file))
  })

  it.each(files.map(([file]) => file))('%s is read and written again to the same bytes', (file) => {
    expect(Buffer.from(encodeStatement(decodeStatement(read(file)))).equals(read(file))).toBe(true)
  })

  it('are all there, and nothing else', () => {
    const there = readdirSync(folder).filter((name) => /\.(provenance|reproduced|rebuild-result|verification_summary)\.json$/.test(name))
    expect(there.toSorted()).toEqual(files.map(([file]) => file).toSorted())
  })
})
