import { Failure } from '../model/failure.ts'
import { shownName } from '../model/shown-name.ts'

const LIMIT = 'shrink the source, or raise the limit'
const URL_FORM = 'give https://HOST/REPOSITORY.git#REF-OR-COMMIT:FOLDER, as the host shows it, with nothing left out'

/** Everything a source can be refused for, or could not be had for. */
const REFUSALS = {
  'source-malformed': [
    'not a source: neither a folder, an archive nor a repository',
    'give a FOLDER, an ARCHIVE.tar[.gz|.zst|.xz] or https://HOST/REPOSITORY.git#REF-OR-COMMIT:FOLDER; git+ before a URL that does not end in .git, ./ before a name with a colon',
  ],
  'source-missing': ['there is no such folder or archive', 'look for a typing error'],
  'source-archive-format': [
    'not an archive that can be read',
    'give a tar: plain, or compressed with gzip, zstd or xz; other formats, zip among them, must be packed again as tar',
  ],
  'source-url-malformed': ['the URL of the repository cannot be read in one way only', URL_FORM],
  'source-url-userinfo': [
    'the URL holds a user name or a password',
    'give the URL without them: only public repositories can be rebuilt by others',
  ],
  'source-protocol': [
    'repositories are not taken over this protocol',
    'give its https:// URL; http://, file:// and private hosts must be allowed by whoever runs this',
  ],
  'source-local-refused': [
    'paths of this machine are not taken as a source here',
    'give a repository that others can read, or upload an archive',
  ],
  'source-host-private': [
    "the repository's host has an address that is not public",
    'only hosts of the public internet are asked, unless whoever runs this allows others',
  ],
  'source-host-unknown': ["the repository's host cannot be found", 'look for a typing error; otherwise try again later'],
  'source-redirected': ['the repository has moved: its host sends to another URL', 'give the URL that it has now; no redirect is followed'],
  'source-ref-malformed': ['the branch, tag or commit is not written as git allows', 'give a branch, a tag, or all digits of a commit'],
  'source-ref-missing': [
    'the repository has no such branch or tag',
    'give a branch or tag that it lists, or all 40 digits of a commit; a commit cannot be shortened',
  ],
  'source-ref-ambiguous': ['there is a branch and a tag of that name', 'give refs/heads/NAME or refs/tags/NAME'],
  'source-commit-missing': [
    'the repository does not give out that commit',
    'push the commit to a branch of that repository, or give a branch or tag',
  ],
  'source-server-too-old': [
    "the repository's host serves it as plain files, from which no single commit can be fetched",
    "let it be served by git's own protocol (git http-backend, or any forge)",
  ],
  'source-repository-missing': [
    'there is no such public repository',
    'look for a typing error; a private repository cannot be rebuilt by others',
  ],
  'source-repository-owner': [
    'the repository belongs to another user of this machine, whose settings git would obey',
    'run as its owner, or clone it first',
  ],
  'source-objects-malformed': [
    'the repository holds objects that git itself calls malformed',
    'run git fsck --strict there, or give the source as an archive',
  ],
  'source-tls': [
    "the host's certificate is not one that this machine accepts",
    'look for a typing error; the certificate of a private host belongs into the certificates of the system',
  ],
  'source-unreachable': ['the repository could not be read', 'try again later; the cause is in the log'],
  'source-submodules': [
    'the source holds git submodules, whose content is no part of the commit',
    'put the content into the repository itself (git subtree), or give the source as an archive',
  ],
  'source-path-malformed': [
    'the folder inside the source is not a plain relative path',
    'give names joined by /, without an empty, . or .. part',
  ],
  'source-path-missing': [
    'the source has no such folder',
    'name a folder of the source; the one folder that an archive is wrapped in does not count',
  ],
  'source-name-refused': [
    'a name in the source cannot be laid out as a file',
    'rename it: no empty, . or .. part, no .git, at most 255 bytes a part',
  ],
  'source-path-duplicate': ['two entries of the source have the same path', 'pack the source again with each path once'],
  'source-path-under-file': ['an entry of the source lies below one that is no folder', 'pack the source again from a plain folder'],
  'source-special-file': ['the source holds a device, a pipe or a socket', 'remove it: a source is made of files, folders and links'],
  'source-link-malformed': ['a link has no target, or one that cannot be a path', 'write the link again'],
  'source-hard-link': ['a hard link names what is no part of the source', 'pack the source again without .git, or without hard links'],
  'source-changed': ['the source changed while it was read', 'let nothing write to it meanwhile, and try again'],
  'source-unreadable': ['a part of the source cannot be read by this user', 'make it readable, or remove it'],
  'source-bare-repository': [
    'the folder is a bare git repository: what it builds from is in its commits',
    'clone it and give the clone, or give file:///… where local repositories are allowed',
  ],
  'source-damaged': ['the archive is broken, cut short or followed by something else', 'fetch or pack it again'],
  'source-entries-limit': ['the source has more files and folders than allowed', LIMIT],
  'source-depth-limit': ['a path of the source is longer or deeper than allowed', LIMIT],
  'source-paths-limit': ['the paths and link targets of the source together are longer than allowed', LIMIT],
  'source-file-size-limit': ['a file of the source is larger than allowed', LIMIT],
  'source-size-limit': ['the source is larger than allowed', LIMIT],
  'source-ratio-limit': ['the archive grows too much when it is decompressed', 'pack the source again without long runs of the same bytes'],
  'source-refs-limit': ['the repository lists more branches and tags than allowed', LIMIT],
  'source-time-limit': [
    'the source could not be fetched within the time allowed',
    'try again, give a smaller repository, or raise the limit',
  ],
  'git-missing': ['the program git could not be started', 'install git 2.37 or newer'],
  'git-too-old': ['this git cannot be told which address to ask', 'install git 2.37 or newer'],
} as const

export type SourceFailureCode = keyof typeof REFUSALS

const OPERATORS: readonly SourceFailureCode[] = ['git-missing', 'git-too-old']
const RETRYABLE: readonly SourceFailureCode[] = ['source-unreachable', 'source-host-unknown', 'source-time-limit', 'source-changed']

/** `data.path` is escaped. Nothing that a server or a program said goes into `data`. */
export function sourceFailure(
  code: SourceFailureCode,
  { named, ...data }: { readonly path?: string; readonly limit?: number /** By whoever asks. */; readonly named?: string } = {},
  cause?: unknown,
): Failure {
  const [message, hint] = REFUSALS[code]
  const audience = OPERATORS.includes(code) ? 'operator' : 'caller'
  return new Failure({
    code,
    message: named === undefined ? message : `${message}: ${shownName(named)}`,
    hint,
    audience,
    data,
    retryable: RETRYABLE.includes(code),
    ...(cause === undefined ? {} : { cause }),
  })
}
