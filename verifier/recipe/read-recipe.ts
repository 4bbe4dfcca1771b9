import type { RecipeReading } from '../model/recipe.ts'
import type { SourceTree } from '../model/source-tree.ts'
import { readFacts } from './facts.ts'
import { readImageConfig } from './image-config.ts'
import { readConfig } from './read-config.ts'
import { type BuilderFacts, runRules } from './rule.ts'
import { RULES } from './rules/all.ts'
import { TreeView } from './tree-view.ts'

export type ReadRecipeOptions = Partial<BuilderFacts> & {
  /** Profiles that the caller will build with, beside those that the recipe chooses. */
  readonly profiles?: readonly string[]
}

/**
 * Reads a mkosi recipe without running anything: what it builds, and what the rules say about it, sorted by file and line. Pure, and
 * never throws for what a tree contains. A recipe with a finding of severity `refuse` must not be built.
 */
export function readRecipe(tree: SourceTree, options: ReadRecipeOptions = {}): RecipeReading {
  const view = new TreeView(tree)
  const config = readConfig(view)
  const image = readImageConfig(view)
  const recipe = readFacts(config, image.imageConfig, options.profiles ?? [])
  const builder = { architecture: options.architecture ?? 'x86-64', mkosi: options.mkosi ?? '25.3' }
  return { recipe, findings: runRules(RULES, config, recipe, builder) }
}
