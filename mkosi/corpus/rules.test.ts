import { expect, test } from 'vitest'
import { RecipeReading } from '../../verifier/model/recipe.ts'
import { readRecipe } from '../../verifier/recipe/read-recipe.ts'
import { readCases } from './expected.ts'
import { recipeTree } from './recipe-tree.ts'

const cases = await readCases()

test.each(cases.map((one) => [one.expected.label, one] as const))(
  '%s: the recipe rules say what the label says',
  async (_label, { expected, recipe }) => {
    const { findings } = readRecipe(await recipeTree(recipe))
    const refusing = new Set(findings.filter(({ severity }) => severity === 'refuse').map(({ rule }) => rule))
    const speaking = new Set(findings.map(({ rule }) => rule))
    expect({
      refused: refusing.size > 0,
      refusingBeyondTheLabel: [...refusing].filter((rule) => !expected.rules.includes(rule)),
      silent: expected.rules.filter((rule) => !speaking.has(rule)),
    }).toEqual({ refused: expected.verdict.check === 'refused', refusingBeyondTheLabel: [], silent: [] })
  },
)

test('what is read of every case is a document that can be stored', async () => {
  for (const { recipe } of cases) expect(RecipeReading.safeParse(readRecipe(await recipeTree(recipe))).success).toBe(true)
})

test('where a label names a format and one image, the recipe says the same', async () => {
  const told: [string, string | null, string | null][] = []
  for (const { expected, recipe } of cases) {
    const { images } = readRecipe(await recipeTree(recipe)).recipe
    const [image] = images
    if (images.length === 1 && expected.verdict.check === 'repeatable') told.push([expected.label, expected.format, image?.format ?? null])
  }
  expect(told.length).toBeGreaterThan(20)
  expect(told.filter(([, label, recipe]) => label !== recipe)).toEqual([])
})
