import { describe, expect, it } from 'vitest'
import type { Inspection, SignalId } from '../inspect/signal.ts'
import { Judge } from '../judge.ts'
import type { PathEvidence } from '../rule.ts'

const PLAIN: PathEvidence = {
  path: 'usr/bin/x',
  kind: 'changed',
  left: null,
  right: null,
  aspects: new Set(['content']),
  inspection: null,
  ownersKnown: true,
  owner: 'x',
  drift: null,
  anyDrift: false,
}

const entry = (given: Partial<NonNullable<PathEvidence['left']>>): NonNullable<PathEvidence['left']> => ({
  path: 'x',
  type: 'f',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: '0',
  size: 1,
  sha256: null,
  link: null,
  device: null,
  xattrs: [],
  ...given,
})

function judged(given: Partial<PathEvidence>): string[] {
  return new Judge(10).judge('x', { ...PLAIN, ...given })
}

const seen = (id: SignalId, whole = true): Inspection => ({
  detail: { format: 'text', diff: null, diffOmitted: 0, notes: [], firstDifference: null },
  signals: [{ id, evidence: 'e' }],
  whole,
})

describe('paths that only a build writes', () => {
  it.each([
    ['var/cache/ldconfig/aux-cache', ['ldconfig-aux-cache']],
    ['var/log/alternatives.log', ['alternatives-log']],
    ['var/log/dpkg.log', ['apt-dpkg-logs']],
    ['var/log/apt/history.log', ['apt-dpkg-logs']],
    ['var/log/bootstrap.log', ['apt-dpkg-logs']],
    ['var/log/journal/0123/system.journal', ['runtime-logs']],
    ['var/lib/apt/lists/x_InRelease', ['apt-state']],
    ['etc/ssh/ssh_host_ed25519_key.pub', ['ssh-host-keys']],
    ['etc/machine-id', ['random-id']],
    ['var/lib/systemd/random-seed', ['random-id']],
    ['var/lib/systemd/credential.secret', ['random-id']],
    ['var/lib/dbus/machine-id', ['random-id']],
    ['etc/ssh/sshd_config', ['unexplained']],
    ['home/var/log/dpkg.log', ['unexplained']],
    ['usr/share/etc/machine-id', ['unexplained']],
  ])('%s: %j', (path, rules) => {
    expect(judged({ path })).toEqual(rules)
  })
})

describe('what is seen in contents', () => {
  it.each<[SignalId, string]>([
    ['date', 'build-date'],
    ['id', 'random-id'],
    ['build-path', 'build-path'],
    ['process-id', 'process-id'],
    ['cpu-count', 'cpu-count'],
    ['line-order', 'line-order'],
    ['gzip-time', 'gzip-header-time'],
    ['recompressed', 'inner-compression'],
    ['ar-header', 'ar-header'],
    ['zip-time', 'zip-member-time'],
    ['elf-identity', 'elf-identity'],
    ['password-hash', 'root-password-salt'],
    ['password-date', 'shadow-date'],
  ])('%s is %s where it is all, and leaves the rest unexplained where it is not', (id, rule) => {
    expect(judged({ inspection: seen(id) })).toEqual([rule])
    expect(judged({ inspection: seen(id, false) })).toEqual([rule, 'unexplained'])
  })

  it('takes compiled Python for that by its time, or where no package brought it', () => {
    const path = 'usr/lib/python3/__pycache__/x.cpython-311.pyc'
    expect(judged({ path, inspection: seen('pyc-time') })).toEqual(['pyc'])
    expect(judged({ path, owner: null })).toEqual(['pyc'])
    expect(judged({ path })).toEqual(['unexplained'])
    expect(judged({ path, kind: 'added', aspects: new Set(['entry']) })).toEqual(['pyc'])
  })
})

describe('what stands in the manifest', () => {
  it.each<[string, Partial<PathEvidence>, string[]]>([
    ['mtime', { aspects: new Set(['mtime']), left: entry({}), right: entry({ mtime: '9' }) }, ['mtime']],
    [
      'the time of a folder amid drift',
      { aspects: new Set(['mtime']), left: entry({ type: 'd' }), right: entry({ type: 'd' }), anyDrift: true },
      ['folder-time'],
    ],
    ['a umask', { aspects: new Set(['mode']), left: entry({}), right: entry({ mode: 0o664 }) }, ['source-modes']],
    ['a setuid bit', { aspects: new Set(['mode']), left: entry({}), right: entry({ mode: 0o4644 }) }, ['unexplained']],
    ['owner', { aspects: new Set(['owner']), left: entry({}), right: entry({ gid: 42 }) }, ['source-owner']],
    ['hard links', { aspects: new Set(['hard-link']) }, ['hard-link-group']],
    [
      'an attribute of XFS',
      { aspects: new Set(['xattr']), left: entry({}), right: entry({ xattrs: [['trusted.SGI_ACL_FILE', '00']] }) },
      ['xfs-acl-xattr'],
    ],
    [
      'another attribute',
      { aspects: new Set(['xattr']), left: entry({}), right: entry({ xattrs: [['security.capability', '00']] }) },
      ['unexplained'],
    ],
    [
      'content and mode',
      { aspects: new Set(['content', 'mode']), left: entry({}), right: entry({ mode: 0o600 }), path: 'etc/machine-id' },
      ['random-id', 'source-modes'],
    ],
  ])('%s', (_, given, rules) => {
    expect(judged(given)).toEqual(rules)
  })

  it('takes the recipe for the writer only of what no package and no program of the image wrote', () => {
    expect(judged({ path: 'srv/app.js', owner: null })).toEqual(['content-changed'])
    expect(judged({ path: 'var/lib/x/state', owner: null })).toEqual(['unexplained'])
    expect(judged({ path: 'srv/app.js', owner: null, ownersKnown: false })).toEqual(['unexplained'])
  })

  it('explains records and caches by packages only where packages differ', () => {
    for (const path of ['var/lib/dpkg/status', 'etc/ld.so.cache']) {
      expect(judged({ path, owner: null, anyDrift: true })).toHaveLength(1)
      expect(judged({ path, owner: null, anyDrift: true })).not.toContain('unexplained')
      expect(judged({ path, owner: null })).toEqual(['unexplained'])
    }
  })
})

describe('findings', () => {
  it('sum up by rule, in the order of rules, with a bounded sample and the rest counted', () => {
    const judge = new Judge(2)
    for (let index = 0; index < 5; index += 1) judge.judge(`f${index}`, PLAIN)
    judge.judge('etc/machine-id', { ...PLAIN, path: 'etc/machine-id' })
    expect(judge.findings().map(({ rule, path, message, evidence }) => ({ rule, path, message, evidence }))).toEqual([
      {
        rule: 'random-id',
        path: 'etc/machine-id',
        message: 'A random identifier or seed was made during the build.',
        evidence: ['etc/machine-id'],
      },
      {
        rule: 'unexplained',
        path: null,
        message: 'No rule knows why this differs. (5 paths)',
        evidence: ['f0: content', 'f1: content', 'and 3 more'],
      },
    ])
  })
})
