import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangesDocument } from '../../app/changes/changes-document.ts'
import { changesLines } from './changes.ts'
import { changesMarkdown } from './changes-markdown.ts'
import { code } from './markdown.ts'

const given: ChangesDocument = {
  schema: 'bitwitness/changes/v1',
  verdict: 'changed',
  older: 'v1',
  newer: 'out',
  packages: {
    of: 'image',
    reason: null,
    totals: { added: 1, removed: 0, upgraded: 1, downgraded: 0, unlisted: 0 },
    changes: [
      { ecosystem: 'debian', name: 'curl', architecture: 'amd64', kind: 'upgraded', from: '1', to: '2' },
      { ecosystem: 'npm', name: '@s/x', architecture: null, kind: 'added', from: null, to: '1.0.0' },
    ],
  },
  files: {
    compared: true,
    reason: null,
    totals: { added: 0, removed: 1, changed: 1, unlisted: 0 },
    changes: [
      { path: 'usr/bin/curl', kind: 'changed', what: ['content', 'size'], package: 'curl' },
      { path: 'etc/app', kind: 'removed', what: ['entry'], package: null },
    ],
  },
}

describe('changesLines', () => {
  it('says what changed, files of no package first', () => {
    expect(changesLines(given)).toEqual([
      'changed',
      '- v1',
      '+ out',
      '',
      'Packages: 1 added, 1 upgraded',
      '  ↑ curl:amd64 1 → 2',
      '  + @s/x 1.0.0',
      '',
      'Files: 1 removed, 1 changed',
      '  - etc/app',
      '  ~ usr/bin/curl  content, size  of curl',
    ])
  })

  it('says what was not compared, and not listed', () => {
    const lines = changesLines({
      ...given,
      packages: { ...given.packages, of: null, reason: 'why', changes: [] },
      files: { ...given.files, reason: '3 paths are not listed' },
    })
    expect(lines).toContain('Packages: not compared (why)')
    expect(lines.at(-1)).toBe('  … 3 paths are not listed')
  })
})

describe('changesMarkdown', () => {
  it('is two tables that can be folded', () => {
    expect(changesMarkdown(given).join('\n')).toBe(`### What changed: changed

From \`v1\` to \`out\`.

**Packages: 1 added, 1 upgraded**

<details><summary>Packages</summary>

| Package | From | To |  |
| --- | --- | --- | --- |
| \`curl:amd64\` | \`1\` | \`2\` | upgraded |
| \`@s/x\` |  | \`1.0.0\` | added |

</details>

**Files: 1 removed, 1 changed**

<details><summary>Files</summary>

| File |  | What | Package |
| --- | --- | --- | --- |
| \`etc/app\` | removed |  |  |
| \`usr/bin/curl\` | changed | content, size | \`curl\` |

</details>`)
  })

  it('has an end', () => {
    const file = { path: 'a', kind: 'added' as const, what: ['entry' as const], package: null }
    const changes = Array.from({ length: 1000 }, () => file)
    const lines = changesMarkdown({ ...given, files: { ...given.files, totals: { ...given.files.totals, unlisted: 5 }, changes } })
    expect(lines.length).toBeLessThan(260)
    expect(lines).toContain('… and 805 more')
  })
})

describe('code', () => {
  it.each([
    ['a`b', '`a\\u{60}b`'],
    ['a|b', '`a\\u{7c}b`'],
    ['a\nb\u202e\x1b[31m', '`a\\u{a}b\\u{202e}\\u{1b}[31m`'],
    ['<img src=x onerror=alert(1)>', '`<img src=x onerror=alert(1)>`'],
    ['', '` `'],
  ])('shows %j as text', (text, shown) => {
    expect(code(text)).toBe(shown)
  })

  it('is one span of one line and one cell, whatever is in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(code(text).slice(1, -1)).not.toMatch(/[`|\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        expect(code(text)).toMatch(/^`.*`$/u)
      }),
    )
  })
})
