import { mkdir, rm, symlink } from 'node:fs/promises'
import path from 'node:path'

/**
 * Puts the program among the commands of `node_modules/.bin`, as npm does for every package but the one at the root. With that folder in
 * PATH it is called `bitwitness`, runs by the Node.js that lies there too, and gets the signals that are sent to it: npx puts a shell in
 * between, which passes none on.
 */
export async function linkProgram(root: string): Promise<void> {
  const folder = path.join(root, 'node_modules', '.bin')
  await mkdir(folder, { recursive: true })
  const link = path.join(folder, 'bitwitness')
  await rm(link, { force: true })
  await symlink(path.join('..', '..', 'src', 'bin', 'bitwitness.js'), link)
}
