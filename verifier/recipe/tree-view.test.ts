import { describe, expect, test } from 'vitest'
import { type TreeFile, treeOf } from './testing/tree-of.ts'
import { TreeView } from './tree-view.ts'

const view = (files: Readonly<Record<string, TreeFile>>): TreeView => new TreeView(treeOf(files))

describe('a path in the source', () => {
  test.each([
    ['a/b', 'file', 'a/b'],
    ['./a//b', 'file', 'a/b'],
    ['a', 'folder', 'a'],
    ['.', 'folder', ''],
    ['a/../a/b', 'file', 'a/b'],
    ['x', 'missing', 'x'],
    ['a/x/y', 'missing', 'a/x/y'],
    ['..', 'outside', '..'],
    ['a/../../a/b', 'outside', 'a/../../a/b'],
    ['/a/b', 'outside', '/a/b'],
    ['x/../..', 'outside', 'x/../..'],
    ['x/../y', 'missing', 'x/../y'],
  ])('%s is %s', (path, kind, found) => {
    expect(view({ 'a/b': '' }).resolve('', path)).toEqual({ kind, path: found, links: [] })
  })

  test.each([
    ['inside/b', 'file', 'a/b'],
    ['deep/up/b', 'file', 'a/b'],
    ['out', 'outside', 'out'],
    ['above', 'outside', 'above'],
    ['loop/x', 'loop', 'loop/x'],
    ['ping', 'loop', 'ping'],
    ['dangling', 'missing', 'nowhere'],
  ])('%s through links is %s', (path, kind, found) => {
    const tree = view({
      'a/b': '',
      inside: { link: 'a' },
      'deep/up': { link: '../inside' },
      out: { link: '/etc' },
      above: { link: 'a/../../x' },
      loop: { link: 'loop' },
      ping: { link: 'pong' },
      pong: { link: 'ping' },
      dangling: { link: 'nowhere' },
    })
    expect(tree.resolve('', path)).toMatchObject({ kind, path: found })
  })

  test('climbs from where a link led, as the kernel does', () => {
    const tree = view({ 'a/b/c': '', x: { link: 'a/b' }, 'a/y': '' })
    expect(tree.resolve('', 'x/../y')).toMatchObject({ kind: 'file', path: 'a/y', links: ['x'] })
  })

  test('is found by its escaped name', () => {
    const tree = view({ 'sub/dev-\\x2d.device': 'text', 'sub/-': 'dash', '\u202e': 'bidi' })
    for (const path of ['sub/dev-\\x2d.device', 'sub/-', '\u202e']) expect(tree.resolve('', path).kind).toBe('file')
    expect(tree.text(tree.resolve('', 'sub/dev-\\x2d.device').path)).toBe('text')
  })

  test('has folders that no entry names', () => {
    const bare = treeOf({ 'a/b/c': '' })
    const tree = new TreeView({ ...bare, entries: bare.entries.filter(({ type }) => type === 'f') })
    expect(tree.resolve('', 'a/b').kind).toBe('folder')
    expect([...tree.below('')].map(({ path }) => path)).toEqual(['a/b/c'])
  })
})
