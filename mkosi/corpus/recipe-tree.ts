import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import path from 'node:path'
import type { SourceTree } from '../../verifier/model/source-tree.ts'
import { type TreeFile, treeOf } from '../../verifier/recipe/testing/tree-of.ts'

/** A case's recipe as the recipe reader sees it, without pinning a source. Links are taken as they are. */
export async function recipeTree(folder: string): Promise<SourceTree> {
  const files: Record<string, TreeFile> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    const name = path.relative(folder, file)
    if (entry.isSymbolicLink()) files[name] = { link: await readlink(file) }
    else if (entry.isFile()) files[name] = await contentOf(file)
  }
  return treeOf(files)
}

async function contentOf(file: string): Promise<TreeFile> {
  const bytes = await readFile(file)
  if (((await lstat(file)).mode & 0o100) === 0) return { content: bytes }
  return { executable: bytes.toString('latin1') }
}
