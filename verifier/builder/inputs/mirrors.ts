import { Failure } from '../../model/failure.ts'
import type { Mirrors } from './input-proxy.ts'

/** Archives that dated mirrors hold under the same name. */
const DATED = ['debian', 'debian-security']

/**
 * The mirrors of one date: `<base>/archive/<archive>/<date>`, the layout of Debian's archive of snapshots. Sources and locks name the
 * same addresses with and without a date; the lock's `snapshot` says which date stands behind them.
 */
export function snapshotMirrors(base: URL, snapshot: string): Mirrors {
  if (!/^\d{8}T\d{6}Z$/.test(snapshot))
    throw new Failure({ code: 'apt-sources-unknown', message: 'no date of an archive', hint: 'write it as 20241201T000000Z' })
  const root = base.href.replace(/\/+$/, '')
  return new Map(DATED.map((archive) => [archive, [new URL(`${root}/archive/${archive}/${snapshot}`)]]))
}

/** How `apt-get indextargets` must be asked for `parseAptTargets`; no shell is between. */
export const APT_TARGETS_FORMAT = '$(REPO_URI) $(ORIGIN) $(LABEL)'

/**
 * The host's own mirrors, from what `apt-get indextargets --format APT_TARGETS_FORMAT 'Created-By: Packages'` prints: the archives are
 * known by the label that their signed index gives them, or, before the first `apt-get update`, by the end of their URL. Whatever is
 * neither is left out.
 */
export function parseAptTargets(text: string): Mirrors {
  const mirrors = new Map<string, URL[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...rest] = line.trim().split(' ')
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') continue
    const archive = archiveOf(url, rest.join(' '))
    if (archive === undefined) continue
    const known = mirrors.get(archive) ?? []
    if (!known.some((other) => other.href === url.href)) mirrors.set(archive, [...known, url])
  }
  return mirrors
}

function archiveOf(url: URL, labels: string): string | undefined {
  if (labels === 'Debian Debian') return 'debian'
  if (labels === 'Debian Debian-Security') return 'debian-security'
  if (labels !== '') return undefined
  return /\/(debian|debian-security)\/*$/.exec(url.pathname)?.[1]
}
