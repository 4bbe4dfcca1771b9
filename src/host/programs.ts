import { access, constants } from 'node:fs/promises'
import path from 'node:path'

/** Those that lie in none of the folders where Debian puts programs. */
export async function missingPrograms(names: readonly string[]): Promise<readonly string[]> {
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  const missing: string[] = []
  for (const name of names) {
    const found = await Promise.all(
      folders.map((folder) =>
        access(path.join(folder, name), constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
    )
    if (!found.includes(true)) missing.push(name)
  }
  return missing
}
