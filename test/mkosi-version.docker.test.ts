import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CheckReport } from '../verifier/model/report.ts'
import { runCli } from './cli-process.ts'
import { sharedSettings } from './shared-home.ts'

/** For one command: a busy machine makes a builder in it, and builds the smallest recipe twice. */
const SECONDS = 900

/** The smallest recipe of the corpus, which here asks for a later mkosi than the default one. */
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-mkosi-'))
  await cp(path.join(import.meta.dirname, '../mkosi/corpus/cases/tar-minimal/recipe'), folder, { recursive: true })
  const config = path.join(folder, 'mkosi.conf')
  await writeFile(config, `${await readFile(config, 'utf8')}\n[Config]\nMinimumVersion=27\n`)
})
afterAll(() => rm(folder, { recursive: true }))

async function checked(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<CheckReport> {
  const { home } = await sharedSettings()
  const engine = process.env['DOCKER_HOST'] ?? ''
  const { stdout, stderr } = await runCli(['check', folder, '--json', ...args], { home, engine, environment, seconds: SECONDS })
  const report = CheckReport.safeParse(JSON.parse(stdout))
  if (!report.success) throw new Error(`no report:\n${stderr}\n${stdout}`)
  return report.data
}

const seen = ({ builder, attempts, recipeFindings }: CheckReport) => ({
  mkosi: builder?.mkosi,
  outcomes: attempts.map(({ outcome }) => outcome),
  asked: recipeFindings.some(({ rule }) => rule === 'minimum-version'),
})

it('recipes are read for, and built with, the mkosi of the settings or of the builder that is named', {
  timeout: 3 * SECONDS * 1000,
}, async () => {
  const later = await checked([], { BITWITNESS_MKOSI: '27.1' })
  expect([later.verdict, seen(later)]).toEqual(['repeatable', { mkosi: '27.1', outcomes: ['built', 'built'], asked: false }])
  const named = await checked(['--attempts', '1', '--builder', `sha256:${later.builder?.digest}`], {})
  expect(seen(named)).toEqual({ mkosi: '27.1', outcomes: ['built'], asked: false })
  expect(named.attempts[0]?.artifacts[0]?.sha256).toBe(later.attempts[0]?.artifacts[0]?.sha256)
  const standard = await checked(['--attempts', '1'], {})
  expect(seen(standard)).toEqual({ mkosi: '25.3', outcomes: ['build-failed'], asked: true })
})
