import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import path from 'node:path'
import { missingPrograms } from './programs.ts'

/** How many ids Debian's packages need inside of a user namespace. */
const IDS = 65_536
const MAX_BYTES = 1 << 20

/** Whether this user may map a range of user and group ids, as builders are made with without root. */
export type IdRange = 'root' | 'there' | 'missing'

type User = { readonly uid: number; readonly name: string }

/** By the programs and files of shadow, subuid(5): `NAME-OR-UID:FIRST:COUNT` a line. `etc` is the folder of the files. */
export async function idRange(
  user: User = currentUser(),
  { etc = '/etc', missing = missingPrograms }: { readonly etc?: string; readonly missing?: typeof missingPrograms } = {},
): Promise<IdRange> {
  if (user.uid === 0) return 'root'
  if ((await missing(['newuidmap', 'newgidmap'])).length > 0) return 'missing'
  const files = await Promise.all(['subuid', 'subgid'].map((file) => readFile(path.join(etc, file), 'latin1').catch(() => '')))
  return files.every((text) => text.length <= MAX_BYTES && hasRange(text, user)) ? 'there' : 'missing'
}

function currentUser(): User {
  try {
    const { uid, username } = userInfo()
    return { uid, name: username }
  } catch {
    // It is in no list of users, such as in a container.
    return { uid: process.getuid?.() ?? 0, name: '' }
  }
}

function hasRange(text: string, { uid, name }: User): boolean {
  return text.split('\n').some((line) => {
    const [owner, first = '', count = ''] = line.split(':')
    return (owner === name || owner === String(uid)) && /^\d+$/.test(first) && /^\d+$/.test(count) && Number(count) >= IDS
  })
}
