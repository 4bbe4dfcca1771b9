import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { repositoryFiles, root } from './repository.ts'

const files = repositoryFiles().filter((name) => {
  const found = lstatSync(path.join(root, name), { throwIfNoEntry: false })
  return found !== undefined && found.isFile() && found.size < 4 * 2 ** 20
})
const texts = new Map(
  files.flatMap((name): [string, string][] => {
    const bytes = readFileSync(path.join(root, name))
    return bytes.includes(0) ? [] : [[name, bytes.toString('utf8')]]
  }),
)

/** `file:line: text` of every line that matches. */
function matches(pattern: RegExp, except: (file: string) => boolean = () => false): string[] {
  return [...texts].flatMap(([file, text]) =>
    except(file)
      ? []
      : text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  )
}

const self = (file: string): boolean => file === 'test/forbidden.test.ts'
// npm's own record of where each package came from; its form is npm's.
const npmLock = (file: string): boolean => file === 'package-lock.json'

describe('the repository', () => {
  it('is read at all', () => {
    expect(texts.size).toBeGreaterThan(50)
    expect([...texts.keys()]).toContain('verifier/model/verdict.ts')
  })

  it('names no mirror or registry that this machine is configured with', () => {
    const hosts = configuredHosts()
    const found = [...texts].flatMap(([file, text]) =>
      hosts.filter((host) => text.includes(host)).map((host) => `${file} names a configured host of ${host.length} letters`),
    )
    expect(found).toEqual([])
  })

  it('names no mirror of Debian and no registry of packages or images: they are settings', () => {
    const parts = [
      ['deb', 'debian', 'org'],
      ['security', 'debian', 'org'],
      ['snapshot', 'debian', 'org'],
      ['ftp', 'debian', 'org'],
      ['archive', 'debian', 'org'],
      ['registry', 'npmjs', 'org'],
      ['registry', 'yarnpkg', 'com'],
    ]
    const pattern = new RegExp(parts.map((part) => part.join('\\.')).join('|'))
    expect(matches(pattern)).toEqual([])
  })

  it('has no path of somebody’s machine', () => {
    expect(matches(/\/(work\/(main|shared)|tmp\/bw)\b/, self)).toEqual([])
    // In images and hostile recipes /root is a path like any other.
    expect(matches(/(^|[^\w.])\/(root|home\/[a-z]|Users\/[A-Za-z])\//, (file) => self(file) || file.startsWith('mkosi/'))).toEqual([])
  })

  it('postpones nothing in a comment', () => {
    expect(matches(/\b(TODO|FIXME|XXX|HACK)\b/, (file) => self(file) || npmLock(file))).toEqual([])
  })

  it('has no drawer for things without a name', () => {
    expect(
      files.filter(
        (file) =>
          /(^|\/)(utils?|helpers?|common|lib|libs|misc|managers?)(\/|\.[^/]*$)/.test(file) &&
          !file.startsWith('tools/lint/fixtures/') &&
          !file.startsWith('mkosi/'),
      ),
    ).toEqual([])
  })

  it('reads the environment only where settings are read and where programs start', () => {
    const code = (file: string): boolean =>
      /^(src|verifier|attestations)\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$|\/testing\/|^src\/(config|bin)\//.test(file)
    expect(matches(/process\s*(\.|\?\.|\[')env\b/, (file) => !code(file))).toEqual([])
  })

  it('exports nothing by default from code of ours', () => {
    const framework = new Set(['vitest.config.ts', 'tools/lint/rules.ts', 'tools/vitest-record.ts'])
    expect(
      matches(
        /^export default/,
        (file) => !/\.[jt]sx?$/.test(file) || framework.has(file) || file.startsWith('tools/lint/fixtures/') || file.startsWith('mkosi/'),
      ),
    ).toEqual([])
  })

  it('keeps files short enough to be read', () => {
    const code = [...texts].filter(([file]) => /^(src|verifier|attestations|tools)\/.*\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file))
    expect(code.filter(([, text]) => text.split('\n').length > 340).map(([file]) => file)).toEqual([])
  })

  it('has no file that only one machine can check out', () => {
    const folded = files.map((file) => file.toLowerCase())
    expect(folded.filter((file, index) => folded.indexOf(file) !== index)).toEqual([])
  })
})

/** Hosts of this machine's apt and npm configuration. */
function configuredHosts(): string[] {
  const urls = [...output('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n'), output('npm', ['config', 'get', 'registry'])]
  const hosts = urls.flatMap((url) => (URL.canParse(url.trim()) ? [new URL(url.trim()).hostname] : []))
  // A bare name such as `localhost` is a word like any other.
  return [...new Set(hosts)].filter((host) => host.includes('.') && !host.startsWith('127.'))
}

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], cwd: root })
  } catch {
    // A machine without apt has no mirror to look for.
    return ''
  }
}
