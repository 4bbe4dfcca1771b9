import { sourceFailure } from './failures.ts'
import { checkRecipePath } from './recipe-path.ts'

/** Where a source is said to be: not yet looked at. */
export type SourceRef =
  | {
      readonly kind: 'git'
      /** Without user name and password, exactly as given. */
      readonly url: string
      /** A branch, a tag or a whole commit; null for the branch that the repository itself names. */
      readonly revision: string | null
      readonly path: string
    }
  | { readonly kind: 'archive'; readonly file: string; readonly path: string }
  | { readonly kind: 'folder'; readonly folder: string }

/** What may be asked for. The strict answer to each is false. */
export type SourceAccess = {
  /** Folders and archives of this machine. */
  readonly files: boolean
  /** Repositories of this machine, by `file://`. */
  readonly localRepositories: boolean
  readonly plainHttp: boolean
  /** Hosts whose addresses are not of the public internet. */
  readonly privateHosts: boolean
}

/** For what strangers submit. */
export const STRANGERS_ACCESS: SourceAccess = { files: false, localRepositories: false, plainHttp: false, privateHosts: false }

/** For a command line: its user may read this machine, but a URL may have come from anywhere. */
export const OWN_ACCESS: SourceAccess = { files: true, localRepositories: false, plainHttp: false, privateHosts: false }

const ARCHIVE = /^(.*\.(?:tar|tar\.gz|tgz|tar\.zst|tar\.xz))(?:#:(.*))?$/s
const OTHER_ARCHIVE = /\.(?:zip|7z|rar|tar\.bz2|tbz2?|tar\.lz4?|tar\.Z|txz|tzst)(?:#:.*)?$/s
const SCHEME = /^(?:git\+)?([A-Za-z][A-Za-z0-9.-]*):/
// A name with a colon, or one that could be a flag, needs a ./ before it.
const FOLDER = /^(?:\.{1,2}|\.{0,2}\/.*|[^-:][^:]*)$/s

/**
 * Reads `FOLDER`, `ARCHIVE.tar[.gz|.zst|.xz]` or `.tgz` with `#:FOLDER`, and `[git+]https://HOST/REPOSITORY.git[#[REVISION][:FOLDER]]`
 * (`.git` may be missing after `git+`). Nothing is looked at, decoded or normalised. Throws a `Failure` with a `source-…` code.
 */
export function parseSourceRef(text: string, access: SourceAccess = OWN_ACCESS): SourceRef {
  if (text.length > 4096 || text.includes('\0')) throw sourceFailure('source-malformed')
  const scheme = SCHEME.exec(text)?.[1]
  // `ssh`'s short form is host:path; a relative archive or folder with a colon in its name begins with ./
  if (scheme !== undefined) return parseRepository(text, scheme, access)
  const archive = ARCHIVE.exec(text)
  if (archive?.[1] !== undefined) {
    if (!access.files) throw sourceFailure('source-local-refused')
    return { kind: 'archive', file: archive[1], path: checkRecipePath(archive[2] ?? '.') }
  }
  if (OTHER_ARCHIVE.test(text)) throw sourceFailure('source-archive-format')
  if (!FOLDER.test(text)) throw sourceFailure(/^[^/]+@[^/]+:/.test(text) ? 'source-protocol' : 'source-malformed')
  if (!access.files) throw sourceFailure('source-local-refused')
  return { kind: 'folder', folder: text }
}

function parseRepository(text: string, scheme: string, access: SourceAccess): SourceRef {
  const hash = text.indexOf('#')
  const written = hash < 0 ? text : text.slice(0, hash)
  const fragment = hash < 0 ? '' : text.slice(hash + 1)
  const colon = fragment.indexOf(':')
  const revision = colon < 0 ? fragment : fragment.slice(0, colon)
  const url = written.startsWith('git+') ? written.slice('git+'.length) : written
  if (!isOffered(scheme, access)) throw sourceFailure('source-protocol')
  checkRepositoryUrl(url, access)
  if (url === written && !url.endsWith('.git')) throw sourceFailure('source-malformed')
  if (revision !== '') checkRevision(revision)
  return {
    kind: 'git',
    url,
    revision: revision === '' ? null : revision,
    path: checkRecipePath(colon < 0 ? '.' : fragment.slice(colon + 1)),
  }
}

function isOffered(scheme: string, access: SourceAccess): boolean {
  if (scheme === 'https') return true
  if (scheme === 'http') return access.plainHttp
  return scheme === 'file' && access.localRepositories
}

/**
 * A URL with one reading: what WHATWG's parser makes of it must be what was written, and no part of it may mean anything to git or curl
 * beyond host and path. It identifies the source for ever, so it is refused rather than brought to a normal form.
 */
export function checkRepositoryUrl(url: string, access: SourceAccess): URL {
  const parsed = URL.parse(url)
  if (parsed === null) throw sourceFailure('source-url-malformed')
  // Before anything else: no later message or log may see it.
  if (parsed.username !== '' || parsed.password !== '' || /^[a-z]+:\/*[^/]*@/i.test(url)) throw sourceFailure('source-url-userinfo')
  if (!isOffered(parsed.protocol.slice(0, -1), access)) throw sourceFailure('source-protocol')
  const local = parsed.protocol === 'file:'
  const plain = /^[a-z]+:\/\/(?:[a-z0-9.-]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?)?\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$/.test(url)
  if (!plain || parsed.href !== url || local !== (parsed.host === '') || url.length > 2048) throw sourceFailure('source-url-malformed')
  return parsed
}

/**
 * git-check-ref-format(1), and no leading dash: nothing that could be an option, a range, a pattern or a path of ours. A whole commit is
 * a revision too.
 */
export function checkRevision(revision: string): void {
  const malformed = /[ ~^:?*[\\]|\.\.|@\{|\/\/|(?:^|\/)\.|\.lock(?:\/|$)|^[-/]|[/.]$|^@$|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
  if (revision === '' || revision.length > 255 || malformed.test(revision)) throw sourceFailure('source-ref-malformed')
}
