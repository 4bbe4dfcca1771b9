import { z } from 'zod'
import { Finding } from '../../verifier/model/finding.ts'
import { Recipe } from '../../verifier/model/recipe.ts'
import { PinnedSource } from '../../verifier/model/source.ts'
import { readRecipe } from '../../verifier/recipe/read-recipe.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { parseSourceRef, type SourceAccess } from '../../verifier/source/source-ref.ts'

export const RECIPE_LINT_SCHEMA = 'bitwitness/recipe-lint/v1'

/** What the rules say of a recipe that nobody has run. `refused`: a rule of severity `refuse` spoke, and nothing would be built. */
export const RecipeLint = z.strictObject({
  schema: z.literal(RECIPE_LINT_SCHEMA),
  verdict: z.enum(['accepted', 'refused']),
  source: PinnedSource,
  recipe: Recipe,
  findings: z.array(Finding),
})
export type RecipeLint = z.infer<typeof RecipeLint>

/** Pins a source and reads its recipe. Needs no engine and runs nothing of it. */
export async function lintRecipe(o: {
  readonly source: string
  readonly access: SourceAccess
  /** Version that the recipe is read for. */
  readonly mkosi: string
  readonly scratch: string
  readonly signal: AbortSignal
}): Promise<RecipeLint> {
  const { access, mkosi, scratch, signal } = o
  await using pinned = await pinSource(parseSourceRef(o.source, access), { scratch, access, signal })
  const { recipe, findings } = readRecipe(pinned.tree, { mkosi })
  const refused = findings.some(({ severity }) => severity === 'refuse')
  return { schema: RECIPE_LINT_SCHEMA, verdict: refused ? 'refused' : 'accepted', source: pinned.pinned, recipe, findings }
}
