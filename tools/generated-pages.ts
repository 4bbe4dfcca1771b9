import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { composeRulesPage } from '../src/app/compose/compose-rules-page.ts'
import { gateRulesPage } from '../src/app/gate/gate-rules-page.ts'
import { recipeRulesPage } from '../verifier/recipe/rules-page.ts'
import { cliPage } from './cli-page.ts'
import { errorsPage } from './error-codes.ts'
import { settingsPage } from './settings-page.ts'
import { verifyingPage } from './verifying-page.ts'

/** Pages of docs/ that are made from code, with what they must say. */
const PAGES: ReadonlyMap<string, () => string> = new Map<string, () => string>([
  ['docs/cli.md', cliPage],
  ['docs/compose-rules.md', composeRulesPage],
  ['docs/errors.md', errorsPage],
  ['docs/gate-rules.md', gateRulesPage],
  ['docs/recipe-rules.md', recipeRulesPage],
  ['docs/settings.md', settingsPage],
  ['docs/verifying.md', verifyingPage],
])

const root = path.join(import.meta.dirname, '..')

/** Pages whose text is not what the code says. */
export async function stalePages(): Promise<string[]> {
  const stale: string[] = []
  for (const [file, make] of PAGES) if ((await readFile(path.join(root, file), 'utf8').catch(() => undefined)) !== make()) stale.push(file)
  return stale
}

export async function writePages(): Promise<void> {
  for (const [file, make] of PAGES) await writeFile(path.join(root, file), make())
}
