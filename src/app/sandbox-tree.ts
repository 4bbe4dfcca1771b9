import { aptSandboxTree } from '../../verifier/builder/inputs/apt-sandbox.ts'
import type { Job } from '../../verifier/builder/sandbox.ts'
import type { Recipe } from '../../verifier/model/recipe.ts'

/** What mkosi's package manager is given: a recipe without a distribution takes nothing from a mirror. */
export function sandboxTreeOf(
  { distribution, release }: Pick<Recipe, 'distribution' | 'release'>,
  architecture: string,
  snapshot: string | null,
): Job['sandboxTree'] {
  return distribution === 'custom' || release === null ? [] : aptSandboxTree({ suite: release, architecture, snapshot })
}
