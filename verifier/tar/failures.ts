import { Failure } from '../model/failure.ts'

const HOSTILE = 'write the archive again with GNU tar, `--format=pax --numeric-owner`'
const FORMAT = 'write the archive with GNU tar, `--format=pax`; compressed archives are to be decompressed first'

/** Everything a tar can be refused for: what two programs could read differently, and what would carry bytes that no tree shows. */
const REFUSALS = {
  'tar-truncated': ['the archive ends before its end marker of two zero blocks', 'copy the archive again and compare its digest'],
  'tar-trailing-data': ['there are bytes after the end of the archive', HOSTILE],
  'tar-checksum': ["a header's checksum is wrong", 'copy the archive again and compare its digest'],
  'tar-format-unknown': ['a block is not a header of POSIX or GNU tar', FORMAT],
  'tar-hidden-bytes': ['there are bytes where a tar must have zeros', HOSTILE],
  'tar-number-malformed': ['a number in a header cannot be read in one way only', HOSTILE],
  'tar-type-unknown': ['a member is of a type that a file system tree cannot hold', HOSTILE],
  'tar-path-not-normal': ['a path is absolute, empty, too long or has an empty, `.` or `..` component', HOSTILE],
  'tar-path-duplicate': ['two members have the same path', 'write each path once: a later member would hide an earlier one'],
  'tar-path-under-file': ['a member lies below a path that is not a directory', HOSTILE],
  'tar-link-target-missing': [
    'a hard link names a member that was not there before it',
    'put the file before its hard links, as GNU tar does',
  ],
  'tar-link-malformed': ['a link has no target, or one that cannot be a path', HOSTILE],
  'tar-pax-malformed': ['an extended header cannot be read in one way only', HOSTILE],
  'tar-pax-key-unknown': ['an extended header has a key whose meaning is not known', 'write with --pax-option=delete=atime,delete=ctime'],
  'tar-pax-key-duplicate': ['an extended header has the same key twice, or a member has the same extended header twice', HOSTILE],
  'tar-pax-too-large': ['an extended header is larger than allowed', 'shorten names and extended attributes'],
  'tar-xattr-name': ['an extended attribute has a name that no Linux file system gives', HOSTILE],
  'tar-owner-name': ["an owner's name contradicts its number", 'write with --numeric-owner'],
  'tar-sparse-malformed': ['the map of a sparse file does not fit the file', HOSTILE],
  'tar-sparse-unsupported': [
    'a sparse file is not in a form that is taken here',
    'write without --sparse; an image or a source may be written with --format=pax --sparse-version=1.0 too',
  ],
  'tar-entries-limit': ['the archive has more members than allowed', 'split the archive, or raise the limit'],
  'tar-file-size-limit': ['a file is larger than allowed', 'shrink the file, or raise the limit'],
  'tar-index-size-limit': [
    'the paths, links and attributes of the members together are larger than allowed',
    'shorten paths, split the archive, or raise the limit',
  ],
  'tar-total-size-limit': ['the files together are larger than allowed', 'shrink the tree, or raise the limit'],
} as const

export type TarFailureCode = keyof typeof REFUSALS

/** `offset` is the byte in the archive where the header in question begins; `path` is escaped. */
export function tarFailure(code: TarFailureCode, data: { readonly offset: number; readonly path?: string }): Failure {
  const [message, hint] = REFUSALS[code]
  return new Failure({ code, message, hint, data })
}
