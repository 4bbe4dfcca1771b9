import type { Severity } from '../../model/finding.ts'
import { caseOf, type RuleCase } from './rule-case.ts'
import type { TreeFile } from './tree-of.ts'

const one = (name: string, more: string, says: Severity | null = 'refuse', files: Readonly<Record<string, TreeFile>> = {}): RuleCase =>
  caseOf(name, more, says, files)
const tree = (name: string, files: Readonly<Record<string, TreeFile>>, says: Severity | null = 'refuse'): RuleCase =>
  one(name, '', says, files)

/** Cases of the rules about where paths lead and what runs while a config is parsed. */
export const PATH_CASES: Readonly<Record<string, readonly RuleCase[]>> = {
  'path-outside': [
    { ...one('an absolute tree', 'ExtraTrees=/etc/shadow\n'), at: ['mkosi.conf', 12] },
    one('an absolute path behind a relative one', 'ExtraTrees=here,/etc\n'),
    one('a path on a line of its own', 'SkeletonTrees=\n  here\n  # not this\n  ../../etc\n'),
    one('a variable', 'ExtraTrees=$HOME/x\n'),
    one('a variable in braces', 'BuildSources=x${HOME}\n'),
    one('a home', 'Include=~/x.conf\n'),
    one('a path that climbs after it went down', 'ExtraTrees=a/../../x\n'),
    one('a folder of the config that climbs', 'ExtraTrees=%D/../x\n'),
    one('a name that only begins like the folder', 'ExtraTrees=%Dx\n'),
    one('a specifier in the middle', 'ExtraTrees=a/%D/x\n'),
    one('a specifier that is dropped between two dots', 'ExtraTrees=.%z./x\n'),
    one('a version that is not set between two dots', 'ExtraTrees=.%v./x\n'),
    one('a version with a slash', 'ExtraTrees=%v\n[Output]\nImageVersion=../x\n'),
    one('an output folder that is left', 'BaseTrees=%O/../src\n'),
    one('a target above the image', 'ExtraTrees=here:/../x\n', 'refuse', { 'here/x': '' }),
    one('a glob above the image', 'RemoveFiles=/../../work/x\n'),
    one('a device tree above the image', 'Devicetree=../../x\n'),
    one('a drive in a folder of the host', '[Runtime]\nDrives=a:1G:/home\n', 'warn'),
    one('an output folder of its own, which the builder overrides', '[Output]\nOutputDirectory=/tmp/out\n', 'warn'),
    tree('a drop-in', { 'mkosi.conf.d/10.conf': '[Content]\nBuildScripts=/bin/sh\n' }),
    tree('a profile that is not chosen', { 'mkosi.profiles/p/mkosi.conf': '[Content]\nExtraTrees=/etc\n' }),
    tree('an image', { 'mkosi.images/a/mkosi.conf': '[Content]\nExtraTrees=/etc\n' }),
    tree('a local override', { 'mkosi.local.conf': '[Content]\nExtraTrees=/etc\n' }),
    tree('a local override in a folder', { 'mkosi.local/mkosi.conf': '[Content]\nExtraTrees=/etc\n' }),
    tree('what only a later mkosi reads', { 'mkosi.tools.conf': '[Content]\nExtraTrees=/etc\n' }),
    one('a file that is included', '[Include]\nInclude=more\n', 'refuse', { more: '[Content]\nExtraTrees=/etc\n' }),
    one('a folder that is included, in its drop-ins', '[Include]\nInclude=more\n', 'refuse', {
      'more/mkosi.conf.d/a.conf': '[Content]\nExtraTrees=/etc\n',
    }),
    tree('under a condition that does not hold', { 'mkosi.conf.d/a.conf': '[Match]\nDistribution=fedora\n[Content]\nExtraTrees=/etc\n' }),
    tree('a folder whose name splits a list', { 'mkosi.conf.d/a,/mkosi.conf': '[Content]\nExtraTrees=%C/etc\n' }),
    one('paths inside', 'ExtraTrees=here:/opt,./there\nBuildScripts=a/../b\nSkeletonTrees=%D/x,%C/y,%P/z\n', null),
    tree(
      'a path above the image folder, still in the recipe',
      { 'mkosi.images/a/mkosi.conf': '[Content]\nExtraTrees=../../shared\n' },
      null,
    ),
    one('the output of another image', 'BaseTrees=%O/base\n', null),
    one('specifiers that are words', 'ExtraTrees=tree-%d-%a-%t-%r\n', null),
    one('mkosi words', '[Include]\nInclude=mkosi-vm\n[Runtime]\nFirmwareVariables=microsoft\n', null),
  ],
  'link-outside': [
    tree('a tree that is a link', { 'mkosi.extra': { link: '/etc' } }),
    tree('a relative link', { 'mkosi.extra': { link: '../../etc' } }),
    tree('a config that is a link', { 'mkosi.conf.d/a.conf': { link: '/etc/x.conf' } }),
    tree('a link behind a link', { 'mkosi.extra': { link: 'a' }, a: { link: '..' } }),
    tree('a link to itself', { 'mkosi.extra': { link: 'mkosi.extra' } }),
    one('a setting through a link', 'ExtraTrees=a/b\n', 'refuse', { a: { link: '/etc' } }),
    tree('a link that only a script could follow', { 'src/x': { link: '/etc/passwd' } }, 'warn'),
    tree('content of the image', { 'mkosi.extra/etc/localtime': { link: '/usr/share/zoneinfo/UTC' } }, null),
    tree('a link inside', { 'mkosi.extra': { link: 'files' }, 'files/etc/motd': '' }, null),
  ],
  'parse-time-executable': [
    ...['version', 'seed', 'rootpw', 'machine-id', 'snapshot'].map((name) =>
      tree(name, { [`mkosi.${name}`]: { executable: '#!/bin/sh\n' } }),
    ),
    tree('in a drop-in folder', { 'mkosi.conf.d/a/mkosi.version': { executable: '' } }),
    tree('in an image', { 'mkosi.images/a/mkosi.conf': '', 'mkosi.images/a/mkosi.seed': { executable: '' } }),
    tree('through a link', { 'mkosi.version': { link: 'x' }, x: { executable: '' } }),
    tree('a credential', { 'mkosi.credentials/a': { executable: '' } }),
    one('a credential by its setting', '[Runtime]\nCredentials=secrets\n', 'refuse', { 'secrets/a': { executable: '' } }),
    tree('plain files', { 'mkosi.version': '1', 'mkosi.credentials/a': 'x' }, null),
  ],
}
