import type { RecipeConfig } from '../config.ts'
import { environmentOf } from '../environment.ts'
import { parseIni } from '../ini.ts'
import { against, assigned, type Rule } from '../rule.ts'
import { judgePath } from '../specifiers.ts'
import { pathsIn } from '../values.ts'

const DISKS = ['disk', 'portable', 'sysext', 'confext']

export const formatUnreproducible: Rule = {
  id: 'format-unreproducible',
  severity: 'warn',
  text: 'Two builds of this format differ: an ESP carries the time of the build in its directory entries, and ext4 draws the hash seed of its directories at random unless it is told one.',
  remedy:
    'Prefer erofs with verity; for ext4 write Environment=SYSTEMD_REPART_MKFS_OPTIONS_EXT4="-E hash_seed=UUID"; for an ESP there is no setting.',
  *check(config) {
    for (const assignment of assigned(config, 'Format'))
      if (assignment.value === 'esp') yield against(assignment, 'an ESP carries the time of the build')
    const seeded = environmentOf(config).some(
      ({ name, value }) => name === 'SYSTEMD_REPART_MKFS_OPTIONS_EXT4' && value?.includes('hash_seed') === true,
    )
    const disk = assigned(config, 'Format').some((assignment) => DISKS.includes(assignment.value))
    if (seeded || !disk) return
    for (const found of ext4Partitions(config)) yield { ...found, message: 'ext4 draws the hash seed of its directories at random' }
  },
}

function* ext4Partitions(config: RecipeConfig): Generator<{ path: string; line: number; evidence: readonly string[] }> {
  const read = new Set<string>()
  for (const assignment of assigned(config, 'RepartDirectories')) {
    for (const folder of pathsIn('paths', assignment.value)) {
      const found = judgePath(config, assignment, folder)
      if (found.kind !== 'folder' || read.has(found.path)) continue
      read.add(found.path)
      for (const { path } of config.tree.below(found.path))
        for (const entry of parseIni(config.tree.text(path) ?? '').entries)
          if (entry.name === 'Format' && /^ext[234]$/.test(entry.value))
            yield { path, line: entry.line, evidence: [`Format=${entry.value}`] }
    }
  }
}
