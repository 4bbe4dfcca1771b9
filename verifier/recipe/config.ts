import type { IniProblem } from './ini.ts'
import type { Setting } from './settings/setting.ts'
import type { TreeView } from './tree-view.ts'

/** Where a config file stands, as mkosi would come to it. */
export type Place = {
  /** `main`, or the name under mkosi.images. */
  readonly image: string
  /** mkosi's working folder while it reads the file: what relative paths start from. Escaped, '' for the recipe's own folder. */
  readonly folder: string
  /** Set below mkosi.profiles. */
  readonly profile: string | null
  /** Config files whose conditions have to hold for mkosi to come here. */
  readonly guards: readonly string[]
  /** Read for the image's facts too; false for what only another version, a local override's shadow or a default image reads. */
  readonly facts: boolean
}

/** One setting, with where it comes from. */
export type Assignment = Place & {
  /** The config file; or the file or folder that was found by its name. */
  readonly file: string
  /** Null where the file was found by its name. */
  readonly line: number | null
  readonly section: string
  /** As written; a setting's own name where the file was found by its name. */
  readonly name: string
  readonly setting: Setting | undefined
  /** With `%` specifiers as written. */
  readonly value: string
  /** The config file's own folder: `%C`. */
  readonly configFolder: string
}

export type Condition = {
  readonly file: string
  readonly line: number
  readonly section: string
  readonly name: string
  readonly value: string
}

export type ConfigProblem = IniProblem & { readonly file: string }

/** Everything that mkosi could read in a recipe's folder, whichever conditions hold and whichever profiles are chosen. */
export type RecipeConfig = {
  readonly tree: TreeView
  /** The recipe's own mkosi.conf; null where there is none. */
  readonly main: string | null
  /** In reading order, each once. */
  readonly files: readonly string[]
  readonly assignments: readonly Assignment[]
  readonly conditions: readonly Condition[]
  /** Sections that mkosi passes over. */
  readonly strangeSections: readonly { readonly file: string; readonly line: number; readonly name: string }[]
  readonly problems: readonly ConfigProblem[]
  /** Config files that are not UTF-8, too large, or too many. */
  readonly unreadable: readonly { readonly file: string; readonly message: string }[]
  /** Files under mkosi.profiles that are read only if a profile has their whole name. */
  readonly plainProfiles: readonly { readonly file: string; readonly name: string }[]
  /** Specifiers that some value of their setting makes unfit for a path. */
  readonly unsafeSpecifiers: ReadonlySet<string>
  /** Names of images: `main` first, then mkosi.images by name. */
  readonly images: readonly string[]
}
