import type { TreeEntry } from '../../model/tree-manifest.ts'
import type { PathRule } from '../rule.ts'

export const xfsAclXattr = {
  id: 'xfs-acl-xattr',
  severity: 'warn',
  samples: 'path',
  text: 'An attribute of the XFS file system (trusted.SGI_ACL_…) went into the image.',
  remedy: 'Let the workspace lie on tmpfs or ext4 (WorkspaceDirectory=), not on XFS.',
  explain: ({ aspects, left, right }) => {
    if (!aspects.has('xattr') || left === null || right === null) return null
    const rest = (entry: TreeEntry): string => JSON.stringify(entry.xattrs.filter(([name]) => !name.startsWith('trusted.SGI_ACL_')))
    return rest(left) === rest(right) ? { aspects: ['xattr'], evidence: null } : null
  },
} satisfies PathRule
