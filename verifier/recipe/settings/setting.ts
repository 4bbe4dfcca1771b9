/** How mkosi takes a setting's value apart. */
export type Shape =
  /** One text, number, flag or word of a fixed choice. */
  | 'text'
  /** Items between commas or newlines. */
  | 'list'
  /** Items between blanks or newlines. */
  | 'words'
  /** A name without a slash. */
  | 'name'
  | 'path'
  /** Paths between commas or newlines. */
  | 'paths'
  /** Like `paths`, of programs that mkosi runs. */
  | 'scripts'
  /** `source[:target]` between commas or newlines. */
  | 'trees'
  /** `id:size[:folder[:options]]` between blanks or newlines. */
  | 'drives'
  /** Paths inside the image between commas or newlines: they must not climb out of it. */
  | 'inside'
  /** `NAME[=value]` with shell quotes. */
  | 'environment'
  /** Like `environment`, or the path of a file or folder. */
  | 'credentials'

/** Who looks at a setting. */
export type Concern =
  /** It says what is in the image, from the source and from packages; the rules on paths see its paths. */
  | 'image'
  /** The builder says it on mkosi's command line, where it wins over the recipe. */
  | 'builder'
  /** mkosi uses it to run a finished image, never to build one. */
  | 'runtime'
  /** Rules of its own, by id. */
  | readonly [string, ...string[]]

export type Setting = {
  readonly name: string
  /** Where mkosi wants it; it takes it from any section that it knows. */
  readonly section: string
  readonly shape: Shape
  readonly concern: Concern
  /** Older names that mkosi still takes. */
  readonly aliases: readonly string[]
  /** Files or folders beside a `mkosi.conf` that are found by name, relative to it. */
  readonly files: readonly string[]
  /** Folders each of whose files counts: `[folder, ending]`. */
  readonly folders: readonly (readonly [folder: string, ending: string])[]
  /** The file's content is the value, or what it prints if it is executable. */
  readonly readsFile: boolean
  /** First version of mkosi that knows it; null: 25.3 or earlier. */
  readonly since: '26' | null
}

type More = Partial<Pick<Setting, 'aliases' | 'files' | 'folders' | 'readsFile' | 'since'>>

export function settingsOf(section: string): (name: string, shape: Shape, concern: Concern, more?: More) => Setting {
  return (name, shape, concern, more = {}) => ({
    name,
    section,
    shape,
    concern,
    aliases: [],
    files: [],
    folders: [],
    readsFile: false,
    since: null,
    ...more,
  })
}

/** Of two names: the file beside the config and the folder of drop-ins that most scripts have. */
export function scriptFiles(name: string, chroot: boolean): Pick<Setting, 'files' | 'folders'> {
  return { files: chroot ? [`mkosi.${name}`, `mkosi.${name}.chroot`] : [`mkosi.${name}`], folders: [[`mkosi.${name}.d`, '']] }
}
