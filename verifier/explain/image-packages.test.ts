import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ImagePackages } from '../model/image-packages.ts'
import { readImagePackages } from './image-packages.ts'
import { type TestTree, writeTar } from './testing/trees.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-packages-'))
})
afterEach(() => rm(folder, { recursive: true }))

const { signal } = new AbortController()
const STATUS = 'var/lib/dpkg/status'
const stanza = (name: string, status = 'install ok installed'): string =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: 1:2.0-1\n\n`

async function read(tree: TestTree): Promise<ImagePackages> {
  const file = await writeTar(path.join(folder, 'image.tar'), tree)
  return await readImagePackages({ file, signal })
}

describe('readImagePackages', () => {
  it('reads what is installed, and leaves out what was removed', async () => {
    const { debian } = await read({ [STATUS]: `${stanza('zlib')}${stanza('gone', 'deinstall ok config-files')}${stanza('curl')}` })
    expect(debian).toEqual(['curl', 'zlib'].map((name) => ({ name, architecture: 'amd64', version: '1:2.0-1' })))
  })

  it.each([
    ['ID=debian\nVERSION_ID="12"\n', { id: 'debian', version: '12' }],
    ['NAME="x"\nID=debian\n', { id: 'debian', version: null }],
    ["ID='odd'\nVERSION_ID=1 2\n", { id: 'odd', version: null }],
    ['PRETTY_NAME="ID=x"\n', null],
    ['', null],
  ])('takes the release of %j', async (release, expected) => {
    expect((await read({ [STATUS]: stanza('curl'), 'usr/lib/os-release': release })).system).toEqual(expected)
  })

  it('takes npm packages by their own word, each once, and none that a Debian package owns', async () => {
    const said = (name: unknown, version: unknown): string => JSON.stringify({ name, version })
    const { npm } = await read({
      [STATUS]: stanza('npm'),
      'var/lib/dpkg/info/npm.list': '/.\n/usr/share/nodejs/npm/node_modules/abbrev/package.json\n',
      'usr/share/nodejs/npm/node_modules/abbrev/package.json': said('abbrev', '1.1.1'),
      'opt/app/package.json': said('app', '1.0.0'),
      'opt/app/node_modules/express/package.json': said('express', '4.21.2'),
      'opt/app/node_modules/express/lib/package.json': said('inner', '1.0.0'),
      'opt/app/node_modules/express/node_modules/ms/package.json': said('ms', '2.0.0'),
      'opt/app/node_modules/send/node_modules/ms/package.json': said('ms', '2.0.0'),
      'opt/app/node_modules/@scope/x/package.json': said('@scope/x', '1.0.0-rc.1'),
      'opt/app/node_modules/.bin/package.json': said('hidden', '1.0.0'),
      'opt/app/node_modules/\xff/package.json': said('odd-place', '1.0.0'),
      'opt/app/node_modules/bad1/package.json': said('../x', '1.0.0'),
      'opt/app/node_modules/bad2/package.json': said('x', 'latest'),
      'opt/app/node_modules/bad3/package.json': said('\u001b[2J', '1.0.0'),
      'opt/app/node_modules/bad4/package.json': '{',
      'opt/app/node_modules/bad5/package.json': 'null',
      'opt/app/node_modules/bad6/package.json': `{"name":"big","version":"1.0.0","x":"${'x'.repeat(1 << 20)}"}`,
    })
    expect(npm).toEqual([
      { name: '@scope/x', version: '1.0.0-rc.1', path: 'opt/app/node_modules/@scope/x/package.json' },
      { name: 'express', version: '4.21.2', path: 'opt/app/node_modules/express/package.json' },
      { name: 'ms', version: '2.0.0', path: 'opt/app/node_modules/express/node_modules/ms/package.json' },
      { name: 'odd-place', version: '1.0.0', path: 'opt/app/node_modules/\\xff/package.json' },
    ])
  })

  it('says where there is no database, rather than that there is nothing', async () => {
    await expect(read({ 'etc/hostname': 'x' })).rejects.toMatchObject({ code: 'package-database-missing' })
  })

  it('reads no archive that another reader could take for something else', async () => {
    const file = path.join(folder, 'image.tar')
    await writeFile(file, 'no tar')
    await expect(readImagePackages({ file, signal })).rejects.toMatchObject({ code: expect.stringMatching(/^tar-/) })
  })
})
