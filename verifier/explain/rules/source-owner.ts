import type { PathRule } from '../rule.ts'

export const sourceOwner = {
  id: 'source-owner',
  severity: 'warn',
  samples: 'path',
  text: 'Owners differ: files were copied with the owner of the build machine, or the sandbox lacked user or group ids.',
  remedy: 'Let mkosi copy extra trees itself (it makes root their owner), and run it with a full range of sub-ids.',
  explain: ({ aspects, left, right }) =>
    aspects.has('owner') ? { aspects: ['owner'], evidence: `${left?.uid}:${left?.gid} → ${right?.uid}:${right?.gid}` } : null,
} satisfies PathRule
