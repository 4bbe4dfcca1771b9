import type { Severity } from '../../model/finding.ts'
import { QUIET } from './recipe-of.ts'
import { caseOf, type RuleCase } from './rule-case.ts'
import type { TreeFile } from './tree-of.ts'

const one = (name: string, more: string, says: Severity | null = 'refuse', files: Readonly<Record<string, TreeFile>> = {}): RuleCase =>
  caseOf(name, more, says, files)
const tree = (name: string, files: Readonly<Record<string, TreeFile>>, says: Severity | null = 'refuse'): RuleCase =>
  one(name, '', says, files)

/** By rule: what it refuses, and what looks like it and is not. */
export const REFUSALS: Readonly<Record<string, readonly RuleCase[]>> = {
  'configure-script': [
    tree('by its name', { 'mkosi.configure': { executable: '' } }),
    one('by its setting', '[Config]\nConfigureScripts=x\n'),
    one('reset', '[Config]\nConfigureScripts=\n', null),
  ],
  postoutput: [
    tree('by its name', { 'mkosi.postoutput': { executable: '' } }),
    tree('by its folder', { 'mkosi.postoutput.d/10-x': { executable: '' } }),
    one('by its setting', 'PostOutputScripts=x\n'),
    one('behind a section that mkosi passes over', '[Foo]\nx=1\n  [Content]\n  PostOutputScripts=evil\n'),
    one('with an old mark', '@PostOutputScripts=x\n'),
    one('in a section that is not its own', '[Runtime]\nPostOutputScripts=x\n'),
    tree('a finalize script', { 'mkosi.finalize': { executable: '' } }, null),
  ],
  'output-by-script': [
    {
      name: 'nothing but scripts',
      files: { 'mkosi.conf': '[Output]\nFormat=none\n', 'mkosi.build': { executable: '' } },
      says: 'refuse',
      at: ['mkosi.conf', 2],
    },
    { name: 'no script', files: { 'mkosi.conf': '[Output]\nFormat=none\n' }, says: null },
    {
      name: 'an image beside it',
      files: {
        'mkosi.conf': '[Output]\nFormat=none\n',
        'mkosi.build': { executable: '' },
        'mkosi.images/a.conf': '[Output]\nFormat=tar\n',
      },
      says: null,
    },
  ],
  'with-network': [
    ...['yes', '1', 'On', 'always', 'maybe', '%v'].map((value) => one(value, `[Build]\nWithNetwork=${value}\n`)),
    ...['no', 'false', ''].map((value) => one(value || 'empty', `[Build]\nWithNetwork=${value}\n`, null)),
  ],
  'unsigned-packages': [
    one('a local mirror', '[Distribution]\nLocalMirror=file:///x\n'),
    one('no check', '[Distribution]\nRepositoryKeyCheck=no\n'),
    one('a check that nobody can read', '[Distribution]\nRepositoryKeyCheck=%v\n'),
    one('keys from the network', '[Distribution]\nRepositoryKeyFetch=yes\n'),
    one('a check', '[Distribution]\nRepositoryKeyCheck=yes\nRepositoryKeyFetch=no\nLocalMirror=\n', null),
  ],
  'builder-replaced': [
    one('a tools tree', '[Build]\nToolsTree=tools\n'),
    tree('a tools tree by its name', { 'mkosi.tools/usr/bin/tar': '' }),
    one('search paths', '[Build]\nExtraSearchPaths=bin\n'),
    one('a folder with the name of a flag', '[Build]\nToolsTree=yes\n', 'refuse', { 'yes/usr/bin/tar': '' }),
    one("mkosi's own", '[Build]\nToolsTree=default\n', 'warn'),
    one('a flag', '[Build]\nToolsTree=yes\n', 'warn'),
    one('no flag', '[Build]\nToolsTree=no\n', null),
    one('none', '[Build]\nToolsTree=\n', null),
  ],
  'sandbox-apt': [
    ...['etc/apt/sources.list', 'etc/apt.conf', 'etc/apt/trusted.gpg.d/x.asc', 'usr/share/keyrings/x.gpg', 'etc/dpkg/dpkg.cfg'].map(
      (path) => tree(path, { [`mkosi.sandbox/${path}`]: '' }),
    ),
    tree('by its old name', { 'mkosi.pkgmngr/etc/apt/sources.list': '' }),
    one('by a target', '[Build]\nSandboxTrees=x.list:/etc/apt/sources.list.d/x.list\n', 'refuse', { 'x.list': '' }),
    one('by the old setting', '[Build]\nPackageManagerTrees=x:etc/apt\n', 'refuse', { 'x/y': '' }),
    one('from another image', '[Build]\nSandboxTrees=%O/base\n'),
    one('what is not there yet', '[Build]\nSandboxTrees=later\n'),
    tree('an archive', { 'mkosi.sandbox.tar': 'x' }),
    tree('something else', { 'mkosi.sandbox/etc/hosts': '' }, null),
  ],
  'sandbox-usr': [
    tree('a program', { 'mkosi.sandbox/usr/bin/tar': '' }),
    tree('a file at the root', { 'mkosi.sandbox/x': '' }),
    one('by a target', '[Build]\nSandboxTrees=x:/usr/bin/tar\n', 'refuse', { x: '' }),
    tree('etc', { 'mkosi.sandbox/etc/hosts': '' }, null),
    tree('the image', { 'mkosi.extra/usr/bin/tar': '' }, null),
  ],
  'sandbox-tree': [
    tree('a library that is loaded', { 'mkosi.sandbox/etc/ld.so.preload': '' }),
    tree('a link', { 'mkosi.sandbox/etc/x': { link: '/etc' } }),
    tree('another file', { 'mkosi.sandbox/etc/hosts': '' }, 'warn'),
    tree('an empty tree', { 'mkosi.sandbox/': '' }, null),
  ],
  'pass-environment': [
    one('the setting', '[Config]\nPassEnvironment=SECRET\n'),
    one('a variable without a value', '[Build]\nEnvironment=A=1 SECRET\n'),
    { ...tree('a file', { 'mkosi.env': 'A=1\n\nSECRET\n' }), at: ['mkosi.env', 3] },
    tree('a comment in a file', { 'mkosi.env': '# words here\nA=1\n' }, null),
    one('values', '[Build]\nEnvironment=A=1 B="two words"\n', null),
  ],
  'environment-unsafe': [
    ...['LD_PRELOAD', 'PATH', 'PYTHONPATH', 'APT_CONFIG', 'GNUPGHOME', 'https_proxy', 'MKOSI_DNF', 'L%zD_PRELOAD'].map((name) =>
      one(name, `[Build]\nEnvironment=${name}=x\n`),
    ),
    one('in quotes', `[Build]\nEnvironment=A=1 "LD_PRELOAD=x y"\n`),
    one('with an escape', String.raw`[Build]${'\n'}Environment=L\D_PRELOAD=x${'\n'}`),
    tree('in a file', { 'mkosi.env': 'LD_PRELOAD=x\n' }),
    tree('in a file, behind a character that ends lines', { 'mkosi.env': 'A=1\u2028LD_PRELOAD=x\n' }),
    tree('in a file, behind a return', { 'mkosi.env': 'A=1\rLD_PRELOAD=x\n' }),
    one('a time', '[Build]\nEnvironment=SOURCE_DATE_EPOCH=1\n', 'warn'),
    one('harmless ones', '[Build]\nEnvironment=A=1 PYTHONHASHSEED=0 SYSTEMD_REPART_MKFS_OPTIONS_EXT4="-E hash_seed=x"\n', null),
  ],
  'package-argument': [
    one('an option', 'Packages=-oAPT::Get::AllowUnauthenticated=true\n'),
    one('an option behind a blank', 'Packages=a, --allow-unauthenticated\n'),
    one('a specifier', 'Packages=%v\n'),
    one('a file', 'BuildPackages=./x.deb\n'),
    one('a pattern', 'Packages=?essential\n', 'warn'),
    one('two in one', 'Packages=a b\n', 'warn'),
    one('names', 'Packages=curl,libc6:i386,g++\n  nodejs=18.20.4+dfsg-1~deb12u1\n  bash/bookworm\n', null),
  ],
  'distribution-unsupported': [
    { name: 'fedora', files: { 'mkosi.conf': '[Distribution]\nDistribution=fedora\n' }, says: 'refuse', at: ['mkosi.conf', 2] },
    { name: 'ubuntu', files: { 'mkosi.conf': '[Distribution]\nDistribution=ubuntu\n' }, says: 'refuse' },
    { name: 'debian', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\n' }, says: null },
    one('custom', '', null),
  ],
  'release-unsupported': [
    {
      name: 'a word',
      files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=stable\n' },
      says: 'refuse',
      at: ['mkosi.conf', 3],
    },
    { name: 'a path', files: { 'mkosi.conf': '[Distribution]\nDistribution=custom\nRelease=../../x\n' }, says: 'refuse' },
    { name: 'a name', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=trixie\n' }, says: null },
    one('a custom image', '', null),
    {
      name: 'another distribution',
      files: {
        'mkosi.conf': '[Distribution]\nDistribution=debian\nRelease=trixie\n',
        'mkosi.conf.d/fedora.conf': '[Match]\nDistribution=fedora\n[Distribution]\nRelease=rawhide\n',
      },
      says: null,
    },
  ],
  'architecture-unsupported': [one('another', '[Distribution]\nArchitecture=arm64\n'), one('ours', '', null)],
  repositories: [
    { name: 'not one', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\nRepositories=universe\n' }, says: 'refuse' },
    { name: 'one that is not free', files: { 'mkosi.conf': '[Distribution]\nDistribution=debian\nRepositories=non-free\n' }, says: 'info' },
    one('main', '[Distribution]\nRepositories=main\n', null),
  ],
  'output-name': [
    one('an id that climbs', '[Output]\nImageId=../../x\n'),
    one('an option', '[Output]\nImageVersion=--allow-unauthenticated\n'),
    tree('a version from a file', { 'mkosi.version': '../x\n' }),
    one('a hidden file', '[Output]\nOutput=.x\n'),
    one('words', '[Output]\nOutput=%i_%v\nImageId=app\nImageVersion=1.2~rc1\n', null),
  ],
  'repart-copy': [
    { ...tree('blocks', { 'mkosi.repart/a.conf': '[Partition]\nType=root\nCopyBlocks=/dev/sda\n' }), at: ['mkosi.repart/a.conf', 3] },
    tree('files', { 'mkosi.repart/a.conf': '[Partition]\nCopyFiles=/:/\n' }, null),
  ],
  'key-source': [
    one('an engine', '[Validation]\nSecureBootKeySource=engine:x\n'),
    one('a provider', '[Validation]\nVerityCertificateSource=provider:x\n'),
    one('a file', '[Validation]\nSecureBootKeySource=file\n', null),
  ],
  'output-signature': [
    one('a program', '[Validation]\nOpenPGPTool=x\n'),
    one('a signature', '[Validation]\nSign=yes\n', 'warn'),
    one('none', '[Validation]\nSign=no\nOpenPGPTool=gpg\n', null),
  ],
  'proxy-settings': [
    one('a way around', '[Build]\nProxyExclude=x\n'),
    one('a certificate', '[Build]\nProxyPeerCertificate=x\n'),
    one('an address, which the builder overrides', '[Build]\nProxyUrl=http://x\n', null),
  ],
  'setting-unknown': [
    { ...one('a slip', 'Packges=curl\n'), at: ['mkosi.conf', 12] },
    one('another case', 'packages=curl\n'),
    one('a later setting in a section of its own', '[Foo]\nNew=1\n'),
    one('an older name', '[Config]\nProfile=a\n[Build]\nPackageManagerTrees=\n', null),
  ],
  'config-ambiguous': [
    ...Object.entries({
      tab: '\v',
      nel: '\x85',
      separator: '\u2028',
      bidi: '\u202e',
      mark: '\ufeff',
      return: '\r',
      wide: '\u00a0',
    }).map(([name, character]) => one(name, `Packages=a${character}b\n`)),
    one('a line end in a comment', '# harmless\u2028PostOutputScripts=x\n'),
    { name: 'a byte order mark', files: { 'mkosi.conf': `\ufeff${QUIET}` }, says: 'refuse', at: ['mkosi.conf', 1] },
    one('a value on two lines', '[Distribution]\nMirror=x\n  Trusted: yes\n'),
    one('a section that goes on', '[Output]\nOutput=x\n  [Content]\n'),
    one('a specifier that nobody knows', 'Packages=%zcurl\n'),
    one('an include that depends on the build', '[Include]\nInclude=%d.conf\n'),
    one('a time in other digits', 'SourceDateEpoch=1_000\n'),
    one('a profile without an ending', '[Config]\nProfiles=p\n', 'refuse', { 'mkosi.profiles/p': '[Content]\nPostOutputScripts=x\n' }),
    { name: 'a config in a folder of its own', files: { 'mkosi/mkosi.conf': QUIET }, says: 'refuse' },
    { name: 'line ends of another system', files: { 'mkosi.conf': QUIET.replaceAll('\n', '\r\n') }, says: null },
    { name: 'everything indented', files: { 'mkosi.conf': QUIET.replaceAll(/^(?=.)/gm, '  ') }, says: null },
    one('words of another language in a comment', '# für\u00a0alle 👩‍💻\n', null),
    one('a file that nobody chooses', '', null, { 'mkosi.profiles/README': 'words' }),
  ],
  'config-unreadable': [
    { name: 'bytes', files: { 'mkosi.conf': new Uint8Array([0x5b, 0xff]) }, says: 'refuse', at: ['mkosi.conf', null] },
    one('a zero byte', 'Packages=a\0b\n'),
    one('a zero byte in a comment', '# \0\n'),
    { name: 'much', files: { 'mkosi.conf': `#${'x'.repeat(1024 * 1024)}` }, says: 'refuse' },
    tree('an environment', { 'mkosi.env': `#${'x'.repeat(1024 * 1024)}\nLD_PRELOAD=x\n` }),
    tree('a version', { 'mkosi.version': new Uint8Array([0xff]) }),
    one('too many items', `Packages=${'a,'.repeat(20_001)}\n`),
    one('enough', '', null),
  ],
  'image-config-invalid': [
    { ...tree('an alias', { 'bitwitness.yaml': 'image:\n  cmd: &a [x]\n  entrypoint: *a\n' }), at: ['bitwitness.yaml', 2] },
    tree('nothing wrong', { 'bitwitness.yaml': 'image: { cmd: [x] }\n' }, null),
  ],
}
