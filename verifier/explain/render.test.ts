import { describe, expect, it } from 'vitest'
import { type Change, EXPLANATION_SCHEMA, type Explanation } from '../model/explanation.ts'
import { renderExplanation } from './render.ts'

const EMPTY: Explanation = {
  schema: EXPLANATION_SCHEMA,
  state: 'complete',
  reason: null,
  left: 'claim',
  right: 'attempt 1',
  totals: { added: 0, removed: 0, changed: 0, unlisted: 0, bytes: 0, ranges: 0 },
  packages: [],
  findings: [],
  changes: [],
  ranges: [],
}

const change = (given: Partial<Change>): Change => ({
  path: 'f',
  kind: 'changed',
  what: [],
  package: null,
  rules: ['unexplained'],
  content: null,
  ...given,
})

describe('renderExplanation', () => {
  it('says that there is no difference, and that nothing was compared', () => {
    expect(renderExplanation(EMPTY)).toEqual(['- claim', '+ attempt 1', 'no difference'])
    expect(renderExplanation({ ...EMPTY, state: 'skip', reason: 'no bytes' })).toEqual([
      '- claim',
      '+ attempt 1',
      'not compared',
      'skip: no bytes',
    ])
  })

  it('calls no difference what is not one: the form of the archive', () => {
    const finding = { rule: 'compression', severity: 'info', path: null, line: null, message: 'M.', evidence: [], remedy: 'R.' } as const
    const lines = renderExplanation({ ...EMPTY, findings: [{ ...finding, evidence: [] }] })
    expect(lines.slice(2, 5)).toEqual(['the same contents in another form, as the findings say', '', 'Findings'])
  })

  it('groups packages, findings and paths, with diffs indented', () => {
    const text = { format: 'text', diff: ['@@ -1,1 +1,1 @@', '-a', '+b'], diffOmitted: 4, notes: [], firstDifference: null } as const
    const binary = {
      format: 'elf',
      diff: null,
      diffOmitted: 0,
      notes: ['build id aa → bb'],
      firstDifference: { offset: 7, left: '00', right: '' },
    } as const
    const explanation: Explanation = {
      ...EMPTY,
      state: 'truncated',
      reason: '3 differing paths are not listed',
      totals: { ...EMPTY.totals, changed: 2, added: 1 },
      packages: [{ name: 'x', architecture: 'amd64', kind: 'upgraded', left: '1', right: '2', paths: 1 }],
      findings: [
        {
          rule: 'mtime',
          severity: 'warn',
          path: 'etc/a',
          line: null,
          message: 'Times differ.',
          evidence: ['etc/a: 1 → 2'],
          remedy: 'Set it.',
        },
      ],
      changes: [
        change({
          path: 'etc/a',
          what: [
            { aspect: 'content', left: 'aa', right: 'bb' },
            { aspect: 'mode', left: '0644', right: '0600' },
          ],
          content: { ...text, diff: [...text.diff], notes: [] },
        }),
        change({
          path: 'usr/bin/x',
          package: 'x',
          what: [{ aspect: 'content', left: 'aa', right: 'bb' }],
          rules: ['package-drift'],
          content: { ...binary, notes: [...binary.notes] },
        }),
        change({ path: 'etc/new', kind: 'added', what: [{ aspect: 'entry', left: null, right: 'f' }], rules: ['content-changed'] }),
      ],
    }
    expect(renderExplanation(explanation)).toEqual([
      '- claim',
      '+ attempt 1',
      '2 changed, 1 added',
      'truncated: 3 differing paths are not listed',
      '',
      'Packages',
      '  x:amd64 upgraded 1 → 2 (1 path)',
      '',
      'Findings',
      '  mtime (warn) etc/a',
      '    Times differ.',
      '      etc/a: 1 → 2',
      '    remedy: Set it.',
      '',
      'Paths',
      '  of no package',
      '    ~ etc/a content, mode 0644 → 0600 [unexplained]',
      '        @@ -1,1 +1,1 @@',
      '        -a',
      '        +b',
      '        … 4 more lines of the diff',
      '    + etc/new [content-changed]',
      '  of x',
      '    ~ usr/bin/x content [package-drift]',
      '        elf; build id aa → bb',
      '        from byte 7: 00 → end',
    ])
  })

  it('keeps to its bounds and says what it left out', () => {
    const diff = { format: 'text', diff: ['-a', '+b'], diffOmitted: 0, notes: [], firstDifference: null } as const
    const changes = ['a', 'b', 'c'].map((path) =>
      change({ path, what: [{ aspect: 'size', left: '1', right: '2' }], content: { ...diff, diff: [...diff.diff], notes: [] } }),
    )
    const lines = renderExplanation({ ...EMPTY, totals: { ...EMPTY.totals, changed: 3 }, changes }, { maxDiffLines: 3, maxPaths: 2 })
    expect(lines.slice(5)).toEqual([
      '  of no package',
      '    ~ a size 1 → 2 [unexplained]',
      '        -a',
      '        +b',
      '    ~ b size 1 → 2 [unexplained]',
      '        -a',
      '        … 1 more lines of the diff',
      '    … 1 more paths',
    ])
    const ranges = [0, 1, 2].map((offset) => ({ offset, length: 1, where: offset === 0 ? 'ext4' : null, rule: null }))
    expect(renderExplanation({ ...EMPTY, totals: { ...EMPTY.totals, ranges: 9, bytes: 9 }, ranges }, { maxPaths: 2 })).toEqual([
      '- claim',
      '+ attempt 1',
      '9 bytes in 9 stretches',
      '',
      'Bytes',
      '  0+1 ext4 [unexplained]',
      '  1+1 unknown place [unexplained]',
      '  … 7 more',
    ])
  })
})
