/**
 * Runs the corpus, or the cases that are named, against the engine that the environment's settings name.
 *
 *     node mkosi/corpus/check-all.ts [--log] [--write-costs] [LABEL…]
 *
 * --log writes the log of every attempt to stderr; --write-costs puts the seconds that were measured into each expected.json.
 */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { readSettings } from '../../src/config/settings.ts'
import { checkWith } from './check-case.ts'
import { readCases } from './expected.ts'
import { runCorpus } from './run.ts'
import { type Row, totalsText } from './table.ts'

const { values, positionals } = parseArgs({
  options: { log: { type: 'boolean', default: false }, 'write-costs': { type: 'boolean', default: false } },
  allowPositionals: true,
})
const cases = (await readCases()).filter(({ expected }) => positionals.length === 0 || positionals.includes(expected.label))
const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())

const check = checkWith(readSettings(process.env), interrupted.signal, (event) => {
  if (values.log && event.kind === 'log') process.stderr.write(`  ${event.line}\n`)
})
const { rows, totals } = await runCorpus(cases, check, (line) => process.stdout.write(`${line}\n`))
process.stdout.write(`${totalsText(totals)}\n`)
if (values['write-costs']) for (const row of rows) await writeCosts(row)
process.exitCode = totals['false-accept'] + totals['false-reject'] + totals['wrong-reason'] === 0 ? 0 : 1

async function writeCosts({ expected, seconds }: Row): Promise<void> {
  const file = path.join(import.meta.dirname, 'cases', expected.label, 'expected.json')
  const stored = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  await writeFile(file, `${JSON.stringify({ ...stored, costs: Math.round(seconds * 10) / 10 }, null, 2)}\n`)
}
