import { visible } from '../../../verifier/model/visible.ts'
import type { RecipeLint } from '../../app/lint-recipe.ts'
import { findingLines } from './findings.ts'
import { paint } from './paint.ts'

/** What a recipe would build, as far as it can be read, and what the rules say about it. */
export function lintLines({ verdict, recipe, findings }: RecipeLint, options: { readonly color: boolean }): string[] {
  const brushes = paint(options.color)
  const images = recipe.images.map((image) => {
    const packages = `${image.packages.length} package${image.packages.length === 1 ? '' : 's'}`
    return `  image ${visible(image.name)}: ${visible(image.format ?? 'format not stated')}, ${packages}, ${image.scripts.length} script${image.scripts.length === 1 ? '' : 's'}`
  })
  const base = [recipe.distribution, recipe.release, recipe.architecture].flatMap((word) => (word === null ? [] : [visible(word)]))
  return [
    verdict === 'accepted' ? brushes.good(verdict) : brushes.bad(verdict),
    ...(base.length === 0 ? [] : [`  ${base.join(' ')}`]),
    ...images,
    ...(findings.length === 0 ? [] : ['', 'findings', ...findingLines(findings, brushes)]),
  ]
}
