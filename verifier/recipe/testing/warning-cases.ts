import type { Severity } from '../../model/finding.ts'
import { QUIET } from './recipe-of.ts'
import { caseOf, type RuleCase } from './rule-case.ts'
import type { TreeFile } from './tree-of.ts'

const one = (name: string, more: string, says: Severity | null = 'warn', files: Readonly<Record<string, TreeFile>> = {}): RuleCase =>
  caseOf(name, more, says, files)
const tree = (name: string, files: Readonly<Record<string, TreeFile>>, says: Severity | null = 'warn'): RuleCase =>
  one(name, '', says, files)
const without = (line: string): Record<string, TreeFile> => ({ 'mkosi.conf': QUIET.replace(`${line}\n`, '') })
const ext4 = { 'mkosi.repart/a.conf': '[Partition]\nFormat=ext4\n' }

/** By rule: what it says without refusing, and what it is silent about. */
export const WARNINGS: Readonly<Record<string, readonly RuleCase[]>> = {
  'config-syntax': [
    { ...one('a line that is nothing', 'words\n'), at: ['mkosi.conf', 12] },
    one('a section without an end', '[Output\n'),
    { name: 'a setting before a section', files: { 'mkosi.conf': `Output=x\n${QUIET}` }, says: 'warn', at: ['mkosi.conf', 1] },
    one('a comment of another language', '; words\n'),
    one('nothing wrong', '# words\n', null),
  ],
  'config-missing': [{ name: 'nothing there', files: { README: 'x' }, says: 'warn', at: [null, null] }, one('there', '', null)],
  'section-unknown': [
    { ...one('a slip', '[Ouput]\n'), at: ['mkosi.conf', 12] },
    one('sections that mkosi knows', '[Host]\n[Match]\n[TriggerMatch]\n[Assert]\n', null),
  ],
  'setting-newer': [one('a snapshot', '[Distribution]\nSnapshot=20241201T000000Z\n'), one('none', '', null)],
  'setting-repeated': [
    one('another value', 'SourceDateEpoch=2\n'),
    one('the same', 'SourceDateEpoch=1\n', null),
    one('a list', 'Packages=a\nPackages=b\n', null),
    tree('another file', { 'mkosi.conf.d/a.conf': '[Content]\nSourceDateEpoch=2\n' }, null),
  ],
  'script-outside-image': [
    tree('sync', { 'mkosi.sync': { executable: '' } }),
    tree('clean', { 'mkosi.clean': { executable: '' } }),
    tree('build', { 'mkosi.build': { executable: '' } }, null),
  ],
  'script-network': [
    tree('prepare', { 'mkosi.prepare.chroot': { executable: '' } }),
    tree('sync', { 'mkosi.sync.d/a': { executable: '' } }),
    tree('build', { 'mkosi.build': { executable: '' } }, null),
  ],
  'image-apt': [
    tree('sources in the image', { 'mkosi.extra/etc/apt/sources.list': '' }),
    one('by a target', 'SkeletonTrees=x:/etc/apt/sources.list.d/x\n', 'warn', { x: '' }),
    tree('another file', { 'mkosi.extra/etc/motd': '' }, null),
  ],
  'package-folder': [
    tree('by its name', { 'mkosi.packages/x.deb': '' }),
    one('by its setting', 'VolatilePackageDirectories=x\n'),
    one('none', '', null),
  ],
  'base-tree': [
    one('a tree', 'BaseTrees=base\n', 'warn', { 'base/x': '' }),
    one('an initrd', 'Initrds=x.cpio\n'),
    one('one that is built', 'BaseTrees=%O/base\nInitrds=%O/initrd\n', null),
  ],
  'source-date-epoch': [
    { name: 'none', files: without('SourceDateEpoch=1'), says: 'warn', at: ['mkosi.conf', null] },
    one('reset', 'SourceDateEpoch=\n'),
    one('one', '', null),
  ],
  unpinned: [
    { name: 'no release', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\n' }, says: 'warn' },
    { name: 'no architecture', files: without('Architecture=x86-64'), says: 'info' },
    one('all', '', null),
  ],
  'mirror-ignored': [one('a mirror', '[Distribution]\nMirror=http://x\n', 'info'), one('none', '[Distribution]\nMirror=\n', null)],
  'remove-files': [
    { name: 'nothing removed', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\n' }, says: 'info' },
    {
      name: 'all removed',
      files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\n[Content]\nRemoveFiles=/var/cache/*\n  /var/log/*.log\n' },
      says: null,
    },
    one('a custom image', '', null),
  ],
  compression: [
    one('a compressed tar', '[Output]\nCompressOutput=zstd\n', 'info'),
    one('an OCI layout', '[Output]\nFormat=oci\n'),
    one('an OCI layout that mkosi will not write', '[Output]\nFormat=oci\nCompressOutput=no\n'),
    one('none', '[Output]\nCompressOutput=none\n', null),
  ],
  'random-value': [
    one('a seed', '[Output]\nSeed=random\n'),
    one('a machine id', 'MachineId=random\n'),
    one('a disk without a seed', '[Output]\nFormat=disk\n'),
    one('a disk with one', '[Output]\nFormat=disk\nSeed=5e9c2b1a-7d3f-4c68-9a0e-1f2b3c4d5e6f\n', null),
  ],
  'format-unreproducible': [
    one('an ESP', '[Output]\nFormat=esp\n'),
    one('ext4', '[Output]\nFormat=disk\n', 'warn', ext4),
    one('ext4 with a seed', '[Output]\nFormat=disk\n[Build]\nEnvironment=SYSTEMD_REPART_MKFS_OPTIONS_EXT4="-E hash_seed=x"\n', null, ext4),
    one('a tar', '', null),
  ],
  'root-password': [
    one('plain', 'RootPassword=secret\n'),
    tree('in a file', { 'mkosi.rootpw': 'secret\n' }),
    one('hashed', 'RootPassword=hashed:$6$x\n', 'info'),
    one('none', '', null),
  ],
  'remote-access': [one('a shell', 'Ssh=yes\n'), one('a login', 'Autologin=yes\n'), one('none', 'Ssh=no\n', null)],
  'host-dependent': [
    one('microcode', 'MicrocodeHost=yes\n'),
    one('modules', 'KernelModulesInclude=a,host\n'),
    one('none', 'MicrocodeHost=no\nKernelModulesInclude=a\n', null),
  ],
  'include-builtin': [
    one("mkosi's own", '[Include]\nInclude=mkosi-vm\n', 'info'),
    one('nothing there', '[Include]\nInclude=x.conf\n'),
    one('one of the source', '[Include]\nInclude=x.conf\n', null, { 'x.conf': '' }),
  ],
  'minimum-version': [
    ...['26', '25.4', '25.10', 'commit:abc'].map((version) => one(version, `[Config]\nMinimumVersion=${version}\n`)),
    ...['25', '25.3', '9'].map((version) => one(version, `[Config]\nMinimumVersion=${version}\n`, null)),
  ],
  'secret-in-source': [
    tree('a key', { 'mkosi.key': 'x' }),
    tree('a credential', { 'mkosi.credentials/x': 'x' }),
    one('a credential in the config', '[Runtime]\nCredentials=a=b\n'),
    tree('a certificate', { 'mkosi.crt': 'x' }, null),
  ],
  'cache-only': [one('a cache', '[Build]\nCacheOnly=always\n'), one('none', '[Build]\nCacheOnly=auto\n', null)],
  'repart-online': [one('loop devices', '[Build]\nRepartOffline=no\n'), one('none', '[Build]\nRepartOffline=yes\n', null)],
  'match-host': [
    one('an architecture', '[Match]\nHostArchitecture=x86-64\n'),
    one('a version', '[TriggerMatch]\nSystemdVersion=>=257\n'),
    one('a file of the host', '[Match]\nPathExists=!/etc/x\n'),
    one('a file of the source', '[Match]\nPathExists=x\nDistribution=debian\n', null),
  ],
  'state-folder': [
    tree('a cache', { 'mkosi.cache/x': '' }),
    tree('an empty folder that git keeps', { 'mkosi.cache/.gitignore': '*' }, null),
  ],
  'opaque-input': [
    ...Object.entries({
      ELF: '\x7fELF\x02',
      gzip: '\x1f\x8b\x08',
      zstd: '\x28\xb5\x2f\xfd',
      deb: '!<arch>\ndebian',
      zip: 'PK\x03\x04',
    }).map(([name, head]) => tree(name, { 'vendor/x': Uint8Array.from(head, (character) => character.charCodeAt(0)) })),
    tree('a package by its name', { 'vendor/npm/express-4.21.1.tgz': 'x' }),
    tree('a large file', { x: new Uint8Array(1024 * 1024 + 1) }),
    tree('a script', { 'mkosi.build': { executable: '#!/bin/sh\n' } }, null),
    tree('a large text', { x: 'word '.repeat(10_000) }, null),
  ],
}
