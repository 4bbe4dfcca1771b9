import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differencesOf } from './differences.ts'
import { collectDrafts, type Drafts } from './drafts.ts'
import { manifestText, pieces, type TestEntry, type TestTree } from './testing/trees.ts'

const compare = (left: string, right: string, maxChanges = 1000, size = 1000): Promise<Drafts> =>
  collectDrafts({ left: pieces(left, size), right: pieces(right, size), maxManifestLine: 10_000, maxChanges })

// Bytes around the slash, a backslash and what is no UTF-8, to meet the order and the escapes.
const component = fc.string({
  unit: fc.constantFrom('a', 'b', '.', '-', '0', '\\', '\xe9', '\xc3\xa9', '\n', '\t'),
  minLength: 1,
  maxLength: 4,
})
const path = fc
  .array(component, { minLength: 1, maxLength: 3 })
  .filter((parts) => parts.every((part) => part !== '.' && part !== '..'))
  .map((parts) => parts.join('/'))
const entry: fc.Arbitrary<TestEntry> = fc.record({
  content: fc.string({ maxLength: 5 }),
  mode: fc.constantFrom(0o644, 0o755),
  mtime: fc.constantFrom('1', '2.5'),
  uid: fc.constantFrom(0, 7),
})
const tree: fc.Arbitrary<TestTree> = fc.dictionary(path, entry, { maxKeys: 12, noNullPrototype: true })

describe('mergeManifests', () => {
  it('finds nothing between a tree and itself, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 40 }), async (one, size) => {
        const { drafts, totals } = await compare(manifestText(one), manifestText(one), 1000, size)
        expect(drafts).toEqual([])
        expect(totals).toEqual({ added: 0, removed: 0, changed: 0, unlisted: 0 })
      }),
    )
  })

  it('names exactly the paths that differ between any two trees', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (a, b) => {
        const { drafts } = await compare(manifestText(a), manifestText(b), 1000, 17)
        const expected = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
          (one) => manifestLines(a).get(one) !== manifestLines(b).get(one),
        )
        expect(drafts.map((draft) => draft.raw).toSorted()).toEqual(expected.toSorted())
      }),
    )
  })

  it('says the same from both sides, mirrored', async () => {
    await fc.assert(
      fc.asyncProperty(tree, tree, async (a, b) => {
        const there = await compare(manifestText(a), manifestText(b))
        const back = await compare(manifestText(b), manifestText(a))
        const mirrored = { added: 'removed', removed: 'added', changed: 'changed' } as const
        expect(back.drafts.map(({ path: name, kind, what }) => ({ name, kind, what }))).toEqual(
          there.drafts.map(({ path: name, kind, what }) => ({
            name,
            kind: mirrored[kind],
            what: what.map(({ aspect, left, right }) => ({ aspect, left: right, right: left })),
          })),
        )
      }),
    )
  })

  it('counts what it does not list', async () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, 'x']))
    const { drafts, totals } = await compare(manifestText({}), manifestText(many), 10)
    expect(drafts).toHaveLength(10)
    expect(totals).toEqual({ added: 50, removed: 0, changed: 0, unlisted: 40 })
  })

  it.each([
    ['without a header', 'd\t0755\t0\t0\t0\t0\t-\t-\t-\t-\t.\n', 'tree-manifest-malformed'],
    ['that is empty', '', 'tree-manifest-malformed'],
    ['that is cut off', manifestText({ a: 'x' }).slice(0, -1), 'tree-manifest-malformed'],
    ['with a line of no end', `${manifestText({})}${'x'.repeat(20_000)}`, 'tree-manifest-malformed'],
    [
      'that is not sorted',
      manifestText({ a: 'x', b: 'x' })
        .split('\n')
        .toSpliced(1, 0, manifestText({ b: 'x' }).split('\n')[1] ?? '')
        .join('\n'),
      'tree-manifest-unordered',
    ],
    [
      'with a path twice',
      manifestText({ a: 'x' })
        .split('\n')
        .toSpliced(1, 0, manifestText({ a: 'x' }).split('\n')[1] ?? '')
        .join('\n'),
      'tree-manifest-unordered',
    ],
  ])('refuses a manifest %s', async (_, text, code) => {
    await expect(compare(text, manifestText({ a: 'x' }))).rejects.toMatchObject({ code })
    await expect(compare(manifestText({ a: 'x' }), text)).rejects.toMatchObject({ code })
  })

  it('takes a folder before its contents and before names that sort under the slash', async () => {
    const { drafts } = await compare(manifestText({ 'a/b': 'x', 'a.b': 'x', a: {} }), manifestText({ 'a.b': 'x', a: {} }))
    expect(drafts.map((draft) => draft.path)).toEqual(['a/b'])
  })
})

function manifestLines(one: TestTree): Map<string, string> {
  return new Map(Object.keys(one).map((name) => [name, manifestText({ [name]: one[name] ?? '' })]))
}

describe('differencesOf', () => {
  it.each<[string, TestTree, TestTree, string[]]>([
    ['content', { f: 'a' }, { f: 'b' }, ['content']],
    ['content and size', { f: 'a' }, { f: 'bb' }, ['content', 'size']],
    ['mode', { f: { content: 'a' } }, { f: { content: 'a', mode: 0o600 } }, ['mode']],
    ['owner', { f: { content: 'a' } }, { f: { content: 'a', gid: 42 } }, ['owner']],
    ['mtime', { f: { content: 'a' } }, { f: { content: 'a', mtime: '1.5' } }, ['mtime']],
    ['xattr', { f: { content: 'a' } }, { f: { content: 'a', xattrs: [['user.x', '00']] } }, ['xattr']],
    ['link', { f: { link: 'a' } }, { f: { link: 'b' } }, ['link']],
    ['type', { f: {} }, { f: { link: 'b', mode: 0o755 } }, ['type']],
    ['hard-link', { e: 'a', f: 'a' }, { e: 'a', f: { link: 'e', hard: true } }, ['hard-link']],
    ['entry', {}, { f: 'a' }, ['entry']],
  ])('tells %s', async (_, left, right, aspects) => {
    const { drafts } = await compare(manifestText(left), manifestText(right))
    expect(drafts.flatMap((draft) => differencesOf(draft).map((one) => one.aspect))).toEqual(aspects)
  })
})
