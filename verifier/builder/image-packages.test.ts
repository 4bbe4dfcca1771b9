import { expect, test } from 'vitest'
import { digestOf } from '../bytes/digest-of.ts'
import { INPUT_LOCK_SCHEMA, type InputLock } from '../model/lock.ts'
import { checkMkosi, checkPackages, parsePackages, pinPreferences } from './image-packages.ts'

const MKOSI = { name: 'mkosi', version: '25.3-7', architecture: 'all' }
const ZLIB = { name: 'zlib1g', version: '1:1.3.dfsg+really1.3.1-1+b1', architecture: 'amd64' }

function lockOf(...packages: readonly (typeof MKOSI)[]): InputLock {
  const inputs = packages.map((one) => ({
    ...one,
    kind: 'package' as const,
    archive: 'debian',
    path: `pool/${one.name}.deb`,
    sha256: digestOf(one.name),
    size: 1,
  }))
  const index = { kind: 'index' as const, archive: 'debian', path: 'dists/trixie/Packages.xz', sha256: digestOf('index'), size: 1 }
  return { schema: INPUT_LOCK_SCHEMA, architecture: 'amd64', snapshot: null, inputs: [...inputs, index], absent: [] }
}

test('the list of packages in an image is read as it was written', () => {
  expect(parsePackages(Buffer.from('mkosi\t25.3-7\tall\nzlib1g\t1:1.3.dfsg+really1.3.1-1+b1\tamd64\n'))).toEqual([MKOSI, ZLIB])
})

test.each(['mkosi\t25.3-7\n', 'mkosi\t25.3-7\tall\tmore\n', 'mkosi\t25.3-7\tall', '../x\t1\tall\n', '\n', 'mkosi\t25.3\n-7\tall\n'])(
  'a list that dpkg did not write is refused: %j',
  (text) => {
    expect(() => parsePackages(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'builder-root-malformed' }))
  },
)

test('an image holds exactly the packages of its lock', () => {
  expect(() => checkPackages([ZLIB, MKOSI], lockOf(MKOSI, ZLIB))).not.toThrow()
  const differ = expect.objectContaining({ code: 'builder-packages-differ' })
  expect(() => checkPackages([MKOSI], lockOf(MKOSI, ZLIB))).toThrow(differ)
  expect(() => checkPackages([MKOSI, ZLIB], lockOf(MKOSI))).toThrow(differ)
  expect(() => checkPackages([MKOSI, { ...ZLIB, version: '1:1.4-1' }], lockOf(MKOSI, ZLIB))).toThrow(differ)
  expect(() => checkPackages([MKOSI, MKOSI], lockOf(MKOSI))).toThrow(differ)
})

test('a suite that moved on to another mkosi does not pass for the wanted one', () => {
  expect(() => checkMkosi([MKOSI], '25.3')).not.toThrow()
  expect(() => checkMkosi([{ ...MKOSI, version: '25.30-1' }], '25.3')).toThrow(expect.objectContaining({ code: 'builder-mkosi-version' }))
  expect(() => checkMkosi([ZLIB], '25.3')).toThrow(expect.objectContaining({ data: { found: null, expected: '25.3' } }))
})

test('preferences leave apt nothing but what is locked, in one order', () => {
  const preferences = pinPreferences(lockOf(ZLIB, MKOSI))
  expect(preferences).toBe(
    'Package: *\nPin: release *\nPin-Priority: -1\n\n' +
      'Package: mkosi\nPin: version 25.3-7\nPin-Priority: 1001\n\n' +
      'Package: zlib1g\nPin: version 1:1.3.dfsg+really1.3.1-1+b1\nPin-Priority: 1001\n',
  )
  expect(pinPreferences(lockOf(MKOSI, ZLIB))).toBe(preferences)
})
