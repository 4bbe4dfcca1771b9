import type { SourceFile } from '../../model/source-tree.ts'
import type { Rule } from '../rule.ts'

const LARGE = 1024 * 1024

/** `[what it is, where the mark stands, the mark]`. */
const MAGIC: readonly (readonly [what: string, at: number, mark: string])[] = [
  ['an ELF program', 0, '\x7fELF'],
  ['a Debian package or library archive', 0, '!<arch>\n'],
  ['a Windows or EFI program', 0, 'MZ'],
  ['a Mach-O program', 0, '\xcf\xfa\xed\xfe'],
  ['a WebAssembly module', 0, '\0asm'],
  ['a gzip archive', 0, '\x1f\x8b'],
  ['a zstd archive', 0, '\x28\xb5\x2f\xfd'],
  ['an xz archive', 0, '\xfd7zXZ\0'],
  ['a bzip2 archive', 0, 'BZh'],
  ['an lz4 archive', 0, '\x04\x22\x4d\x18'],
  ['a zip archive', 0, 'PK\x03\x04'],
  ['a 7-Zip archive', 0, "7z\xbc\xaf'\x1c"],
  ['a cpio archive', 0, '07070'],
  ['a tar archive', 257, 'ustar'],
  ['a squashfs image', 0, 'hsqs'],
  ['an RPM package', 0, '\xed\xab\xee\xdb'],
  ['Python bytecode', 2, '\r\n'],
  ['Java bytecode', 0, '\xca\xfe\xba\xbe'],
]
const NAMES = /\.(deb|udeb|rpm|apk|whl|jar|pyc|so|ko|efi|raw|img|iso|qcow2|tar|tgz|txz|tbz2?|tzst|cpio)$/i

export const opaqueInput: Rule = {
  id: 'opaque-input',
  severity: 'warn',
  text: 'The source holds something that was made elsewhere: a package, a program, an archive, a large binary. It is reproduced by copying it; where it comes from is not shown by building.',
  remedy: 'Build it from its source in a build script, or name where it comes from and check its hash.',
  *check(config) {
    for (const entry of config.tree.entries) {
      const what = entry.type === 'f' ? opaque(entry, config.tree.head(entry.path), (path) => config.tree.text(path)) : undefined
      if (what !== undefined)
        yield {
          path: entry.path,
          line: null,
          message: `${what} is taken as it is`,
          evidence: [`${entry.size} bytes`, ...(entry.sha256 === null ? [] : [`sha256 ${entry.sha256}`])],
        }
    }
  },
}

function opaque(entry: SourceFile, head: Uint8Array | undefined, text: (path: string) => string | undefined): string | undefined {
  const bytes = head === undefined ? '' : String.fromCharCode(...head)
  for (const [what, at, mark] of MAGIC) {
    if (mark === '\r\n' && !entry.path.endsWith('.pyc')) continue
    if (bytes.startsWith(mark, at) && (mark !== 'MZ' || bytes.includes('\0'))) return what
  }
  if (NAMES.test(entry.path) && entry.size > 0) return 'a file with the name of a package, program or archive'
  if (entry.size > LARGE) return bytes.includes('\0') || text(entry.path) === undefined ? 'a large file' : undefined
  return undefined
}
