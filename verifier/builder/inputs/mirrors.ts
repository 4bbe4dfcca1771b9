import { Failure } from '../../model/failure.ts'
import { PROFILE_ARCHIVES } from './apt-sandbox.ts'
import type { Mirrors } from './input-proxy.ts'

/**
 * The mirrors of one date: `<base>/archive/<archive>/<date>`, the layout of Debian's archive of snapshots. Sources and locks name the
 * same addresses with and without a date; the lock's `snapshot` says which date stands behind them.
 */
export function snapshotMirrors(base: URL, snapshot: string): Mirrors {
  if (!/^\d{8}T\d{6}Z$/.test(snapshot))
    throw new Failure({ code: 'apt-sources-unknown', message: 'no date of an archive', hint: 'write it as 20241201T000000Z' })
  const root = base.href.replace(/\/+$/, '')
  return new Map(PROFILE_ARCHIVES.map((archive) => [archive, [new URL(`${root}/archive/${archive}/${snapshot}`)]]))
}

/** How `apt-get indextargets` must be asked for `parseAptTargets`. */
export const APT_TARGETS_FORMAT = '$(REPO_URI) $(ORIGIN) $(LABEL)'

/**
 * The host's own mirrors, from what `apt-get indextargets --format APT_TARGETS_FORMAT` prints: an archive is known by the origin and label
 * that its signed index gives it. Whatever has others is left out.
 */
export function parseAptTargets(text: string): Mirrors {
  const archives: Readonly<Record<string, string>> = { 'Debian Debian': 'debian', 'Debian Debian-Security': 'debian-security' }
  return collect(text, (line) => {
    const [url = '', ...labels] = line.split(' ')
    return { url, archive: archives[labels.join(' ')] }
  })
}

/**
 * The same, before the host's first `apt-get update`, from what `apt-get --print-uris update` prints: an archive is known by the end of
 * its URL, which is a guess. Others keep a folder of that name too; what is not Debian's then fails apt's check of the signature.
 */
export function parseAptUris(text: string): Mirrors {
  return collect(text, (line) => {
    const [, url = '', archive] = /^'(https?:\/\/[^']+\/(debian|debian-security)\/)dists\/[^'/]+\/InRelease' /.exec(line) ?? []
    return { url, archive: url.endsWith('/linux/debian/') ? undefined : archive }
  })
}

function collect(text: string, read: (line: string) => { readonly url: string; readonly archive: string | undefined }): Mirrors {
  const mirrors = new Map<string, URL[]>()
  for (const line of text.split('\n')) {
    const { url, archive } = read(line.trim())
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (archive === undefined || parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) continue
    // A user name and password are for the host's apt, not for us to use or to print.
    if (parsed.username !== '' || parsed.password !== '') continue
    const known = mirrors.get(archive) ?? []
    if (!known.some((other) => other.href === parsed.href)) mirrors.set(archive, [...known, parsed])
  }
  return mirrors
}
