import { describe, expect, it } from 'vitest'
import { Sha256 } from '../model/digest.ts'
import type { Failure } from '../model/failure.ts'
import { SOURCE_LIMITS } from './limits.ts'
import { type SourceEntry, TreeEntries } from './tree-entries.ts'

const content = { offset: 0, size: 1, sha256: Sha256.parse('0'.repeat(64)) }
const file = (path: string): SourceEntry => ({ path, type: 'f', executable: false, content })
const folder = (path: string): SourceEntry => ({ path, type: 'd' })
const link = (path: string, target: string): SourceEntry => ({ path, type: 'l', link: target })

function codeOf(entries: readonly SourceEntry[], limits = {}): string | undefined {
  const tree = new TreeEntries({ ...SOURCE_LIMITS, ...limits })
  try {
    for (const entry of entries) tree.add(entry)
  } catch (error) {
    return (error as Failure).code
  }
  return undefined
}

describe('TreeEntries', () => {
  it('orders by component, not by path', () => {
    const tree = new TreeEntries(SOURCE_LIMITS)
    for (const path of ['a.b', 'a/b', 'a-b', 'a/\xff', 'a/B', 'b']) tree.add(file(path))
    expect(tree.within('.').map(({ path }) => path)).toEqual(['a', 'a/B', 'a/b', 'a/\xff', 'a-b', 'a.b', 'b'])
    expect(tree.within('a').map(({ path }) => path)).toEqual(['B', 'b', '\xff'])
  })

  it.each(['..', '.', '', 'a/..', '../a', '/a', 'a//b', 'a/', './a', '.git', 'a/.git/config', 'a\0b', 'x'.repeat(256)])(
    'refuses the name %j',
    (path) => {
      expect(codeOf([file(path)])).toBe('source-name-refused')
    },
  )

  it.each(['...', '.gitignore', '.GIT', 'git', '-', '--', '~', 'a\nb', '\x1b[31m', '\xe2\x80\xae', '\xff', 'x'.repeat(255), 'CON', 'a\\b'])(
    'takes the name %j as it is',
    (path) => {
      expect(codeOf([file(path)])).toBeUndefined()
    },
  )

  it.each([
    [[file('a'), file('a')], 'source-path-duplicate'],
    [[folder('a'), folder('a')], 'source-path-duplicate'],
    [[file('a'), file('a/b')], 'source-path-under-file'],
    [[file('a/b'), file('a')], 'source-path-under-file'],
    [[link('a', '/tmp'), file('a/b')], 'source-path-under-file'],
    [[file('a/b/c'), link('a/b', '/tmp')], 'source-path-under-file'],
    [[link('a', '')], 'source-link-malformed'],
    [[link('a', 'b\0c')], 'source-link-malformed'],
    [[link('a', 'b'.repeat(4096))], 'source-link-malformed'],
    [[file('a/b'), folder('a'), file('a/c'), link('l', '/etc/passwd'), link('m', '\n')], undefined],
  ] as const)('%# answers with %s', (entries, code) => {
    expect(codeOf(entries)).toBe(code)
  })

  it('counts what is only implied, and content once for each name', () => {
    expect(codeOf([file('a/b/c')], { maxEntries: 3 })).toBeUndefined()
    expect(codeOf([file('a/b/c')], { maxEntries: 2 })).toBe('source-entries-limit')
    expect(codeOf([file('a'), file('b')], { maxTotalSize: 2 })).toBeUndefined()
    expect(codeOf([file('a'), file('b')], { maxTotalSize: 1 })).toBe('source-size-limit')
    expect(codeOf([file('a/b/c')], { maxDepth: 2 })).toBe('source-depth-limit')
    expect(codeOf([file('a/b/c')], { maxPathLength: 4 })).toBe('source-depth-limit')
  })

  it('bounds paths and targets of links together, each folder counted once', () => {
    const cases: readonly (readonly [readonly SourceEntry[], number])[] = [
      [[file('abc'), file('de')], 5],
      [[file('a/b/c')], 1 + 3 + 5],
      [[file('a/b/c'), folder('a/b'), file('a/b/d')], 1 + 3 + 5 + 5],
      [[link('a', '/etc/passwd')], 1 + 11],
    ]
    for (const [entries, size] of cases) {
      expect(codeOf(entries, { maxPathsSize: size })).toBeUndefined()
      expect(codeOf(entries, { maxPathsSize: size - 1 })).toBe('source-paths-limit')
    }
  })

  it('knows the one folder that wraps everything', () => {
    const wrapperOf = (...entries: SourceEntry[]): string | undefined => {
      const tree = new TreeEntries(SOURCE_LIMITS)
      for (const entry of entries) tree.add(entry)
      return tree.wrapper()
    }
    expect(wrapperOf(file('a/b'), file('a/c/d'))).toBe('a')
    expect(wrapperOf(folder('a'))).toBe('a')
    expect(wrapperOf(file('a/b'), file('c'))).toBeUndefined()
    expect(wrapperOf(file('a'))).toBeUndefined()
    expect(wrapperOf(link('a', 'b'))).toBeUndefined()
    expect(wrapperOf()).toBeUndefined()
  })

  it('finds no folder under the name of a file, or of half a folder', () => {
    const tree = new TreeEntries(SOURCE_LIMITS)
    for (const entry of [file('images/web/mkosi.conf'), file('file'), link('link', 'images')]) tree.add(entry)
    for (const path of ['file', 'link', 'link/web', 'imag', 'images/web/mkosi.conf', 'none'])
      expect(() => tree.within(path)).toThrow(expect.objectContaining({ code: 'source-path-missing' }))
  })
})
