import type { RuleText } from '../rule.ts'

/** Found by the reader of the format that it is about. */
export const ext4HashSeed = {
  id: 'ext4-hash-seed',
  severity: 'warn',
  text: 'mke2fs draws the seed of directory hashes at random; it stands in every copy of the ext4 superblock, with a checksum.',
  remedy: 'Environment=SYSTEMD_REPART_MKFS_OPTIONS_EXT4="-E hash_seed=UUID" with a fixed UUID, or Format=erofs for the root partition.',
} satisfies RuleText
