import type { ImageConfig, Recipe, RecipeScript } from '../model/recipe.ts'
import { filesThatDoNotMatch } from './conditions.ts'
import type { Assignment, RecipeConfig } from './config.ts'
import { SECTIONS } from './settings/all.ts'
import { expandWords, judgePath } from './specifiers.ts'
import { splitValue } from './values.ts'

const SCRIPTS: Readonly<Record<string, string>> = {
  ConfigureScripts: 'configure',
  CleanScripts: 'clean',
  SyncScripts: 'sync',
  PrepareScripts: 'prepare',
  BuildScripts: 'build',
  PostInstallationScripts: 'postinst',
  FinalizeScripts: 'finalize',
  PostOutputScripts: 'postoutput',
}

/**
 * What the recipe says about its images. Conditions are taken to hold unless they plainly do not; of the profiles, those count that the recipe or the caller
 * chooses. Where one setting is written twice the last one counts, as for mkosi.
 */
export function readFacts(config: RecipeConfig, imageConfig: ImageConfig, profiles: readonly string[]): Recipe {
  const off = filesThatDoNotMatch(config)
  const counts = (assignment: Assignment): boolean => isRead(assignment) && !assignment.guards.some((file) => off.has(file))
  const unprofiled = config.assignments.filter((assignment) => assignment.profile === null && counts(assignment))
  const chosen = new Set([...profiles, ...listOf(unprofiled, 'main', 'Profiles')])
  const assignments = config.assignments.filter(
    (assignment) => counts(assignment) && (assignment.profile === null || chosen.has(assignment.profile)),
  )
  const words = wordsOf(assignments)
  const text = (name: string): string | null => scalar(assignments, 'main', name, words(null))
  const images = config.images.map((image): Recipe['images'][number] => {
    const own = words(image)
    return {
      name: image,
      format: scalar(assignments, image, 'Format', own),
      output: scalar(assignments, image, 'Output', own),
      packages: listOf(assignments, image, 'Packages'),
      scripts: scriptsOf(config, assignments, image),
    }
  })
  const epoch = text('SourceDateEpoch')
  const mirrors = ['Mirror', 'LocalMirror'].flatMap((name) => text(name) ?? [])
  const recipe: Omit<Recipe, 'pins'> = {
    images,
    distribution: text('Distribution'),
    release: text('Release'),
    architecture: text('Architecture'),
    sourceDateEpoch: epoch !== null && /^\d{1,15}$/.test(epoch) ? Number(epoch) : null,
    snapshot: snapshotOf(text('Snapshot'), mirrors),
    mirrors,
    imageConfig,
    profiles: [...new Set(config.assignments.flatMap((assignment) => assignment.profile ?? []))].toSorted(),
    files: [...config.files],
  }
  return { ...recipe, pins: pinsOf(recipe, assignments) }
}

/** Settings in sections that mkosi passes over are for the rules only. */
function isRead(assignment: Assignment): boolean {
  return assignment.facts && (assignment.line === null || SECTIONS.has(assignment.section))
}

function scalar(
  assignments: readonly Assignment[],
  image: string,
  name: string,
  words: Readonly<Record<string, string | null>>,
): string | null {
  const last = assignments.findLast((assignment) => assignment.image === image && assignment.setting?.name === name)
  if (last === undefined || last.value === '') return null
  return expandWords(last.value, words) ?? null
}

function listOf(assignments: readonly Assignment[], image: string, name: string): string[] {
  let items: string[] = []
  for (const assignment of assignments) {
    if (assignment.image !== image || assignment.setting?.name !== name) continue
    items = assignment.value === '' ? [] : [...items, ...splitValue(assignment.setting.shape, assignment.value)]
  }
  return items
}

/** By their paths in the recipe's folder where they are there, otherwise as written. */
function scriptsOf(config: RecipeConfig, assignments: readonly Assignment[], image: string): RecipeScript[] {
  const scripts = new Map<string, RecipeScript[]>()
  for (const assignment of assignments) {
    const kind = SCRIPTS[assignment.setting?.name ?? '']
    if (assignment.image !== image || assignment.setting === undefined || kind === undefined) continue
    const added = splitValue(assignment.setting.shape, assignment.value).map((written) => {
      const found = judgePath(config, assignment, written)
      const path = found.kind === 'file' ? found.path : written
      return { path, kind, chroot: path.endsWith('.chroot') }
    })
    scripts.set(kind, assignment.value === '' ? [] : [...(scripts.get(kind) ?? []), ...added])
  }
  return Object.values(SCRIPTS).flatMap((kind) => scripts.get(kind) ?? [])
}

/** The values of specifiers, for one image or for what all images share. */
function wordsOf(assignments: readonly Assignment[]): (image: string | null) => Readonly<Record<string, string | null>> {
  return (image) => {
    const plain = (of: string, name: string): string | null => {
      const value = scalar(assignments, of, name, {})
      return value !== null && /^[A-Za-z0-9._+~-]+$/.test(value) ? value : null
    }
    const own = image ?? 'main'
    return {
      d: plain('main', 'Distribution'),
      r: plain('main', 'Release'),
      a: plain('main', 'Architecture'),
      t: plain(own, 'Format'),
      v: plain(own, 'ImageVersion') ?? plain('main', 'ImageVersion'),
      i: plain(own, 'ImageId') ?? plain('main', 'ImageId'),
      I: image === null || image === 'main' ? '' : image,
    }
  }
}

const SNAPSHOT = /(?<![0-9A-Za-z])\d{8}T\d{6}Z(?![0-9A-Za-z])/

function snapshotOf(snapshot: string | null, mirrors: readonly string[]): string | null {
  if (snapshot !== null) return SNAPSHOT.test(snapshot) ? snapshot : null
  for (const mirror of mirrors) {
    const date = SNAPSHOT.exec(mirror)
    if (date !== null) return date[0]
  }
  return null
}

/** What fixes the build to one result, by the name of the setting that does it. */
function pinsOf(recipe: Omit<Recipe, 'pins'>, assignments: readonly Assignment[]): Recipe['pins'] {
  const packages = recipe.images.flatMap((image) => image.packages)
  const disk = recipe.images.some((image) => ['disk', 'portable', 'sysext', 'confext', 'esp'].includes(image.format ?? 'disk'))
  const wanted: readonly (readonly [name: string, asked: boolean, has: boolean])[] = [
    ['Distribution', true, recipe.distribution !== null],
    ['Release', recipe.distribution !== 'custom', recipe.release !== null],
    ['Architecture', true, recipe.architecture !== null],
    ['SourceDateEpoch', true, recipe.sourceDateEpoch !== null],
    ['Snapshot', recipe.distribution !== 'custom', recipe.snapshot !== null],
    ['Seed', disk, assignments.some((assignment) => assignment.setting?.name === 'Seed' && assignment.value !== '')],
    ['package versions', packages.length > 0, packages.every((name) => /^[^=]+=[^=*?]+$/.test(name))],
  ]
  const asked = wanted.filter(([, isAsked]) => isAsked)
  return {
    present: asked.flatMap(([name, , has]) => (has ? [name] : [])),
    missing: asked.flatMap(([name, , has]) => (has ? [] : [name])),
  }
}
