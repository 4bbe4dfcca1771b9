import type { Assignment, RecipeConfig } from './config.ts'
import type { Resolved } from './tree-view.ts'

/** What a path in a config leads to. `output`: below the builder's own output folder (`%O`). */
export type PathVerdict =
  | Resolved
  | {
      readonly kind: 'absolute' | 'variable' | 'home' | 'unclear' | 'output' | 'built-in'
      readonly path: string
      readonly links: readonly string[]
    }

const BUILT_IN = ['mkosi-tools', 'mkosi-initrd', 'mkosi-vm', 'mkosi-addon']

/** Settings that take words of their own in the place of a path. */
const CONSTANTS: Readonly<Record<string, readonly string[]>> = {
  Include: BUILT_IN,
  ToolsTree: ['default'],
  Initrds: ['default'],
  FirmwareVariables: ['custom', 'microsoft', 'microsoft-mok'],
}

/** Specifiers whose value the recipe writes: safe in a path only while every value of the setting is. */
const WRITTEN: Readonly<Record<string, string>> = { Release: 'r', ImageVersion: 'v', ImageId: 'i', Output: 'o' }
/** Specifiers of a fixed choice of words without slashes. `%I` is the name of a folder of the tree. */
const FIXED = 'datF'
const PLAIN_WORD = /^(?!\.)[A-Za-z0-9._+~-]{1,200}$/

/**
 * Where a path of a setting leads, `%` specifiers expanded and links followed. mkosi drops a specifier that is unknown or not yet set,
 * and expands `$NAME` and `~` from the environment of whoever runs it; nothing that depends on these counts as a path of the source.
 */
export function judgePath(config: RecipeConfig, assignment: Assignment, path: string): PathVerdict {
  const verdict = (kind: Exclude<PathVerdict['kind'], Resolved['kind']>): PathVerdict => ({ kind, path, links: [] })
  if (CONSTANTS[assignment.setting?.name ?? '']?.includes(path) === true) return verdict('built-in')
  if (path.includes('\0')) return verdict('unclear')
  if (path.includes('$')) return verdict('variable')
  if (path.trimStart().startsWith('~')) return verdict('home')

  const start = /^%([CDPO])(?=\/|$)/.exec(path)
  const rest = start === null ? path : path.slice(2)
  if (/%[CDPO]/.test(rest.replaceAll('%%', ''))) return verdict('unclear')
  const written = [...rest.replaceAll('%%', '').matchAll(/%(.|$)/gsu)].map((found) => found[1] ?? '')
  if (!written.every((character) => safe(config, assignment, character))) return verdict('unclear')
  if (start === null && path.trimStart().startsWith('/')) return verdict('absolute')

  const folder = start?.[1] === 'C' ? assignment.configFolder : start?.[1] === 'D' ? '' : assignment.folder
  // A specifier may stand for nothing, so both readings must stay inside.
  const readings = ['', 'x'].map((word) => rest.replaceAll(/%(.)/gsu, (_, character: string) => (character === '%' ? '%' : word)))
  const relative = readings.map((reading) => (start === null ? reading : reading.replace(/^\/+/, '')))
  // mkosi expands the specifier before it splits the value and looks for variables, so a folder's own name could be cut in two.
  if (start !== null && !/^[A-Za-z0-9._+@/-]*$/.test(folder)) return verdict('unclear')
  if (start?.[1] === 'O') return relative.some(climbs) ? verdict('unclear') : verdict('output')
  if (relative.some((reading) => reading.startsWith('/'))) return verdict('absolute')
  const resolved = relative.map((reading) => config.tree.resolve(folder, reading))
  const bad = resolved.find((found) => found.kind === 'outside' || found.kind === 'loop')
  return bad ?? resolved[1] ?? verdict('unclear')
}

/** Whether a value has a specifier that mkosi does not know, and drops. */
export function hasUnknownSpecifier(value: string): boolean {
  return [...value.matchAll(/%(.?)/gsu)].some((found) => !'%CPDOFIdrtoavi'.includes(found[1] ?? ''))
}

/** Whether the file that a path names depends on a specifier of the build, rather than on the place of the config. */
export function dependsOnBuild(path: string): boolean {
  return /%[^%CDP]/.test(path.replaceAll('%%', ''))
}

/** A value with `%C`, `%D` and `%P` aside: known words in the place of specifiers, or undefined where one is not known. */
export function expandWords(value: string, words: Readonly<Record<string, string | null>>): string | undefined {
  let unknown = false
  const expanded = value.replaceAll(/%(.)/gsu, (_, character: string) => {
    if (character === '%') return '%'
    const word = words[character]
    if (word === undefined || word === null) unknown = true
    return word ?? ''
  })
  return unknown ? undefined : expanded
}

function safe(config: RecipeConfig, assignment: Assignment, character: string): boolean {
  if (character === 'I') return assignment.image === 'main' || PLAIN_WORD.test(assignment.image)
  if (FIXED.includes(character) && character !== '') return true
  return Object.values(WRITTEN).includes(character) && !config.unsafeSpecifiers.has(character)
}

/** The specifier that an assignment makes unfit for a path, if it does. */
export function specifierSpoiled(assignment: Assignment): string | undefined {
  const character = WRITTEN[assignment.setting?.name ?? '']
  if (character === undefined || assignment.value === '' || PLAIN_WORD.test(withoutWords(assignment.value))) return undefined
  return character
}

/** Specifiers within such a value are judged where they are written themselves. */
function withoutWords(value: string): string {
  return value.replaceAll(/%[dativroF]/g, 'x')
}

function climbs(path: string): boolean {
  return path.split('/').includes('..')
}
