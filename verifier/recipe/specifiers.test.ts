import { expect, test } from 'vitest'
import { readConfig } from './read-config.ts'
import { dependsOnBuild, expandWords, hasUnknownSpecifier, judgePath } from './specifiers.ts'
import { type TreeFile, treeOf } from './testing/tree-of.ts'
import { TreeView } from './tree-view.ts'

function judge(path: string, conf: string, files: Readonly<Record<string, TreeFile>> = {}): string {
  const config = readConfig(new TreeView(treeOf({ ...files, 'sub/mkosi.conf': conf, 'mkosi.conf': '[Include]\nInclude=sub\n' })))
  const assignment = config.assignments.find(({ setting, file }) => setting?.name === 'ExtraTrees' && file === 'sub/mkosi.conf')
  if (assignment === undefined) throw new Error('the config has no tree')
  const found = judgePath(config, assignment, path)
  return `${found.kind} ${found.path}`
}

test.each([
  ['x', 'file sub/x'],
  ['%C/x', 'file sub/x'],
  ['%P/x', 'file sub/x'],
  ['%D/x', 'file x'],
  ['%D', 'folder '],
  ['%D//x', 'file x'],
  ['../x', 'file x'],
  ['%D/../x', 'outside ../x'],
  ['../../x', 'outside ../../x'],
  ['%O/base', 'output %O/base'],
  ['%O/../x', 'unclear %O/../x'],
  ['%Ox', 'unclear %Ox'],
  ['.%v./.%v./x', 'outside ../../x'],
  ['tree-%v', 'missing sub/tree-x'],
  ['a%%b', 'missing sub/a%b'],
  ['100%', 'unclear 100%'],
  ['%', 'unclear %'],
  ['$x', 'variable $x'],
  [' ~/x', 'home  ~/x'],
  ['a\0b', 'unclear a\0b'],
])('%j leads to %j', (path, found) => {
  expect(judge(path, '[Content]\nExtraTrees=x\n', { x: '', 'sub/x': '' })).toBe(found)
})

test('a specifier is as good as the worst value of its setting', () => {
  const files = { x: '', 'sub/x': '' }
  expect(judge('%v', '[Content]\nExtraTrees=x\n[Output]\nImageVersion=1.2\n', files)).toBe('file sub/x')
  expect(judge('%v', '[Content]\nExtraTrees=x\n[Output]\nImageVersion=1.2\nImageVersion=a/b\n', files)).toBe('unclear %v')
  expect(judge('%v', '[Content]\nExtraTrees=x\n[Output]\nImageVersion=$HOME\n', files)).toBe('unclear %v')
})

test('the words of a build are told from places', () => {
  expect(['%d.conf', 'a/%v'].map(dependsOnBuild)).toEqual([true, true])
  expect(['a', '%D/a', '%%d'].map(dependsOnBuild)).toEqual([false, false, false])
  expect(['%z', '%p', '%d%x'].map(hasUnknownSpecifier)).toEqual([true, true, true])
  expect(['%%z', '%v', '100%'].map(hasUnknownSpecifier)).toEqual([false, false, false])
})

test('known words are filled in, and nothing where one is not known', () => {
  expect(expandWords('%i_%v%%', { i: 'app', v: '1' })).toBe('app_1%')
  expect(expandWords('%i_%v', { i: 'app', v: null })).toBeUndefined()
  expect(expandWords('%r', {})).toBeUndefined()
})
