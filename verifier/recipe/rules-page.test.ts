import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { RULES } from './rules/all.ts'
import { recipeRulesPage } from './rules-page.ts'

const page = await readFile(path.join(import.meta.dirname, '../../docs/recipe-rules.md'), 'utf8')

test('the page of recipe rules names every rule of the code and no other', () => {
  const named = [...page.matchAll(/^### (.+)$/gm)].map((found) => found[1])
  expect(named).toEqual(RULES.map(({ id }) => id).toSorted())
})

test('the page of recipe rules says what the code says', () => {
  expect(page).toBe(recipeRulesPage())
})
