import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ListedPackage } from './listed-package.ts'
import { versionChanges } from './version-changes.ts'

const debian = (name: string, version: string): ListedPackage => ({ ecosystem: 'debian', name, version, architecture: 'amd64' })
const npm = (name: string, version: string): ListedPackage => ({ ecosystem: 'npm', name, version, architecture: null })
const told = (older: readonly ListedPackage[], newer: readonly ListedPackage[]): string[] =>
  versionChanges(older, newer).map(({ ecosystem, name, kind, from, to }) => `${ecosystem} ${name} ${kind} ${from} ${to}`)

describe('versionChanges', () => {
  it('tells what came, went, rose and fell', () => {
    const older = [debian('curl', '7.88.1-10+deb12u9'), debian('gone', '1'), npm('express', '4.21.0'), npm('@s/x', '2.0.0')]
    const newer = [debian('curl', '7.88.1-10+deb12u10'), debian('new', '1'), npm('express', '4.9.0'), npm('@s/x', '2.0.0')]
    expect(told(older, newer)).toEqual([
      'debian curl upgraded 7.88.1-10+deb12u9 7.88.1-10+deb12u10',
      'debian gone removed 1 null',
      'debian new added null 1',
      'npm express downgraded 4.21.0 4.9.0',
    ])
  })

  it('takes the versions of npm as npm does', () => {
    expect(told([npm('a', '1.0.0-rc.1')], [npm('a', '1.0.0')])).toEqual(['npm a upgraded 1.0.0-rc.1 1.0.0'])
    expect(told([npm('a', '1.0.0')], [npm('a', '1.0.1-rc.1')])).toEqual(['npm a upgraded 1.0.0 1.0.1-rc.1'])
  })

  it('leaves versions alone that both have, and pairs the others in their order', () => {
    const older = ['1.0.0', '2.0.0', '3.0.0'].map((version) => npm('ms', version))
    const newer = ['2.0.0', '3.1.0', '10.0.0', '1.5.0'].map((version) => npm('ms', version))
    expect(told(older, newer)).toEqual(['npm ms upgraded 1.0.0 1.5.0', 'npm ms upgraded 3.0.0 3.1.0', 'npm ms added null 10.0.0'])
  })

  it('keeps architectures and ecosystems apart', () => {
    const arm = { ...debian('a', '1'), architecture: 'arm64' }
    expect(told([debian('a', '1')], [arm])).toEqual(['debian a removed 1 null', 'debian a added null 1'])
    expect(told([debian('a', '1')], [npm('a', '1')])).toEqual(['debian a removed 1 null', 'npm a added null 1'])
  })

  it('finds none between equal lists in any order, and turned around the other way', () => {
    const version = fc.stringMatching(/^[0-9]{1,2}(\.[0-9]{1,2}){0,2}(-rc[0-9])?$/)
    const one = fc.record({
      ecosystem: fc.constantFrom('debian', 'npm'),
      name: fc.constantFrom('a', 'b', '["a",null]', '__proto__'),
      architecture: fc.constantFrom('amd64', null),
      version,
    })
    const list = fc.array(one, { maxLength: 12 })
    fc.assert(
      fc.property(list, (all) => {
        expect(versionChanges(all, all.toReversed())).toEqual([])
      }),
    )
    fc.assert(
      fc.property(list, list, (older, newer) => {
        const back = versionChanges(newer, older).map((change) => ({ ...change, kind: null, from: change.to, to: change.from }))
        expect(back).toEqual(versionChanges(older, newer).map((change) => ({ ...change, kind: null })))
      }),
    )
  })
})
