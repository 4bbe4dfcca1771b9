import type { Assignment, Condition, ConfigProblem, Place, RecipeConfig } from './config.ts'
import { foundByName } from './found-by-name.ts'
import { parseIniFor } from './ini.ts'
import { ASSERT_SECTIONS, isStrange, MATCH_SECTIONS, SECTIONS, settingNamed } from './settings/all.ts'
import { dependsOnBuild, judgePath, specifierSpoiled } from './specifiers.ts'
import { join, nameOf, parentOf, type TreeView, textOf } from './tree-view.ts'
import { splitValue } from './values.ts'

const NO_TEXT = 'a file that mkosi reads is no UTF-8 text without zero bytes of at most 1 MiB'
const MOST_PLACES = 4096
const MOST_ASSIGNMENTS = 20_000
const MOST_ITEMS = 20_000
/** Characters of one config file and of all. Those of mkosi's own largest users have a tenth of it. */
const MOST_TEXT = 256 * 1024
const MOST_TEXTS = 2 * 1024 * 1024
const MOST_SECTIONS = 1000

/** What each of mkosi's readings of a file asks for, and what it passes over. */
const PASSES = [
  (section: string): boolean => MATCH_SECTIONS.has(section),
  (section: string): boolean => ASSERT_SECTIONS.has(section),
  (section: string): boolean => SECTIONS.has(section),
  isStrange,
]

/**
 * Reads every config file that mkosi 25.3 or 27.1 could come to in this tree. Conditions are not judged and every profile is read, so
 * that nothing depends on what the build will choose. Never throws; what cannot be read is in `unreadable` and `problems`.
 */
export function readConfig(tree: TreeView): RecipeConfig {
  const reader = new Reader(tree)
  const main: Place = { image: 'main', folder: '', profile: null, guards: [], facts: true }
  reader.folder(main, { profiles: true, local: true })
  // Read by 27.1 for its default tools and initrd.
  for (const name of ['mkosi.tools.conf', 'mkosi.initrd.conf'])
    reader.drop('', name, { ...main, facts: false }, { profiles: true, local: true })
  const images = tree.resolve('', 'mkosi.images')
  for (const name of images.kind === 'folder' ? tree.names(images.path) : []) {
    const image = name.replace(/\.conf$/, '')
    if (reader.drop(images.path, name, { ...main, image }, { profiles: true, local: true }, '')) reader.images.push(image)
  }
  return reader.done()
}

const TEXT_FILES = new Set(['UnifiedKernelImageProfiles', 'EnvironmentFiles', 'RepartDirectories'])

type Also = { readonly profiles: boolean; readonly local: boolean }
const NOTHING_ELSE: Also = { profiles: false, local: false }

class Reader {
  readonly images = ['main']
  readonly #tree: TreeView
  readonly #files = new Set<string>()
  readonly #assignments: Assignment[] = []
  readonly #conditions: Condition[] = []
  readonly #strange: { file: string; line: number; name: string }[] = []
  readonly #problems: ConfigProblem[] = []
  readonly #plainProfiles: { file: string; name: string }[] = []
  readonly #unsafeSpecifiers = new Set<string>()
  readonly #unreadable: { file: string; message: string }[] = []
  /** A place is read once for each image, as mkosi reads each include once. */
  readonly #seen = new Set<string>()
  #full = false
  #text = 0
  #items = 0

  constructor(tree: TreeView) {
    this.#tree = tree
  }

  done(): RecipeConfig {
    const main = this.#tree.resolve('', 'mkosi.conf')
    return {
      tree: this.#tree,
      main: main.kind === 'file' ? main.path : null,
      files: [...this.#files],
      assignments: this.#assignments,
      conditions: this.#conditions,
      strangeSections: this.#strange,
      problems: this.#problems,
      unreadable: this.#unreadable,
      plainProfiles: this.#plainProfiles,
      unsafeSpecifiers: this.#unsafeSpecifiers,
      images: this.images,
    }
  }

  /** A folder with a mkosi.conf: local overrides, files found by name, the file itself, its drop-ins, its profiles. */
  folder(outer: Place, also: Also): void {
    if (!this.#first(`folder ${outer.folder}`, outer)) return
    const conf = join(outer.folder, 'mkosi.conf')
    const place = { ...outer, guards: [...outer.guards, this.#tree.resolveEscaped('', conf).path] }
    this.#found(place)
    this.file(conf, place)
    const dropIns = this.#tree.resolve(place.folder, 'mkosi.conf.d')
    for (const name of dropIns.kind === 'folder' ? this.#tree.names(dropIns.path) : [])
      this.drop(dropIns.path, name, place, NOTHING_ELSE, place.folder)
    const profiles = also.profiles ? this.#tree.resolve(place.folder, 'mkosi.profiles') : undefined
    for (const name of profiles?.kind === 'folder' ? this.#tree.names(profiles.path) : []) {
      const read = this.drop(profiles?.path ?? '', name, { ...place, profile: name.replace(/\.conf$/, '') }, NOTHING_ELSE, place.folder)
      if (!read) this.#plainProfiles.push({ file: join(profiles?.path ?? '', name), name })
    }
    if (!also.local) return
    for (const name of ['mkosi.local', 'mkosi.local.conf']) this.drop(place.folder, name, place, NOTHING_ELSE, place.folder)
  }

  /** A folder of config, or one file of it; returns whether it is either. */
  drop(folder: string, name: string, place: Place, also: Also, from = folder): boolean {
    const found = this.#tree.resolveEscaped('', join(folder, name))
    if (found.kind === 'folder') this.folder({ ...place, folder: found.path }, also)
    else if (name.endsWith('.conf') && found.kind !== 'missing') this.file(join(folder, name), { ...place, folder: from })
    return found.kind === 'folder' || name.endsWith('.conf')
  }

  /** One config file, by its name in the tree before links are followed. */
  file(name: string, place: Place): void {
    const found = this.#tree.resolveEscaped('', name)
    if (found.kind !== 'file' || !this.#first(`file ${found.path}`, place)) return
    const text = this.#tree.text(found.path)
    this.#files.add(found.path)
    if (text === undefined) {
      this.#unreadable.push({ file: found.path, message: NO_TEXT })
      return
    }
    this.#text += text.length
    if (text.length > MOST_TEXT || this.#text > MOST_TEXTS) return this.#fill(found.path)
    const [a, b, c] = this.#tree.head(found.path) ?? []
    if (a === 0xef && b === 0xbb && c === 0xbf)
      this.#problems.push({ kind: 'ambiguous', file: found.path, line: 1, message: 'the config begins with a byte order mark' })
    this.#parse(text, found.path, place)
  }

  /** As often as mkosi does, and once more for the sections that it passes over. */
  #parse(text: string, file: string, place: Place): void {
    const { all, chosen } = parseIniFor(text, PASSES)
    for (const problem of all.problems) this.#problems.push({ ...problem, file })
    for (const section of all.sections.slice(0, MOST_SECTIONS)) if (isStrange(section.name)) this.#strange.push({ ...section, file })
    const [matches = [], asserts = [], ...settings] = chosen
    for (const entry of [...matches, ...asserts]) this.#conditions.push({ ...entry, file })
    for (const entry of settings.flat())
      this.#assign({
        ...place,
        ...entry,
        guards: [...place.guards, file],
        name: entry.name.replace(/^@/, ''),
        file,
        configFolder: parentOf(file),
      })
  }

  #assign(entry: Omit<Assignment, 'setting'>): void {
    const setting = settingNamed(entry.name)
    this.#items += setting === undefined ? 1 : splitValue(setting.shape, entry.value).length
    if (this.#assignments.length >= MOST_ASSIGNMENTS || this.#items > MOST_ITEMS) return this.#fill(entry.file)
    const assignment: Assignment = { ...entry, setting }
    this.#assignments.push(assignment)
    const spoiled = specifierSpoiled(assignment)
    if (spoiled !== undefined) this.#unsafeSpecifiers.add(spoiled)
    if (assignment.setting?.name === 'Include' && SECTIONS.has(entry.section)) this.#include(assignment)
    if (TEXT_FILES.has(assignment.setting?.name ?? '')) this.#textFiles(assignment)
  }

  #include(assignment: Assignment): void {
    for (const path of splitValue('paths', assignment.value)) {
      if (dependsOnBuild(path)) {
        const message = 'which file is included depends on the build'
        this.#problems.push({ kind: 'ambiguous', file: assignment.file, line: assignment.line ?? 1, message })
        continue
      }
      const found = judgePath(this.done(), assignment, path)
      const { image, profile, guards, facts } = assignment
      if (found.kind === 'folder') this.folder({ image, profile, guards, facts, folder: found.path }, { profiles: true, local: false })
      else if (found.kind === 'file') this.file(found.path, { image, profile, guards, facts, folder: assignment.folder })
    }
  }

  /** Small configs of other kinds, which rules look into: one that cannot be read would hide from them. */
  #textFiles(assignment: Assignment): void {
    for (const path of splitValue('paths', assignment.value)) {
      const found = judgePath(this.done(), assignment, path)
      const files = found.kind === 'folder' ? [...this.#tree.below(found.path)].map((entry) => entry.path) : [found.path]
      for (const file of found.kind === 'folder' || found.kind === 'file' ? files : []) {
        const at = this.#tree.resolveEscaped('', file)
        if (at.kind !== 'file') continue
        this.#files.add(at.path)
        if (this.#tree.text(at.path) === undefined) this.#unreadable.push({ file: at.path, message: NO_TEXT })
      }
    }
  }

  /** Files and folders that mkosi takes for settings by their names. */
  #found(place: Place): void {
    for (const { setting, name, file, text } of foundByName(this.#tree, place.folder)) {
      if (text === null) this.#unreadable.push({ file, message: NO_TEXT })
      this.#assign({
        ...place,
        section: '',
        name: setting,
        value: text === undefined ? textOf(name) : (text ?? ''),
        file,
        line: null,
        configFolder: place.folder,
      })
    }
  }

  #first(what: string, place: Place): boolean {
    const key = `${place.image}\n${place.profile ?? ''}\n${place.folder}\n${what}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    if (this.#seen.size > MOST_PLACES) this.#fill(nameOf(place.folder))
    return !this.#full
  }

  #fill(file: string): void {
    if (!this.#full) this.#unreadable.push({ file, message: 'there is more config than one recipe may have' })
    this.#full = true
  }
}
