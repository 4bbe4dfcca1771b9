import { SETTINGS } from './settings/all.ts'
import { join, type TreeView } from './tree-view.ts'

export type FoundByName = {
  readonly setting: string
  /** Relative to the folder, escaped. */
  readonly name: string
  /** In the tree. */
  readonly file: string
  /**
   * The file's content where that is the setting's value, empty for an executable, whose output is not known without running it; null
   * where it cannot be read; undefined where the path is the value.
   */
  readonly text: string | null | undefined
}

/** What stands beside a mkosi.conf under a name that mkosi takes for a setting, such as mkosi.extra or mkosi.build.d/10-make. */
export function foundByName(tree: TreeView, folder: string): FoundByName[] {
  return SETTINGS.flatMap((setting) => {
    const inFolders = setting.folders.flatMap(([below, ending]) => {
      const found = tree.resolve(folder, below)
      const names = found.kind === 'folder' ? tree.names(found.path) : []
      return names.filter((name) => name.endsWith(ending)).map((name) => `${below}/${name}`)
    })
    return [...setting.files, ...inFolders].flatMap((name): FoundByName[] => {
      const file = join(folder, name)
      const found = tree.resolveEscaped('', file)
      if (found.kind === 'missing') return []
      if (!setting.readsFile) return [{ setting: setting.name, name, file, text: undefined }]
      const run = found.kind !== 'file' || tree.entry(found.path)?.executable === true
      const text = run ? '' : (tree.text(found.path)?.replace(/\n+$/, '') ?? null)
      return [{ setting: setting.name, name, file, text }]
    })
  })
}
