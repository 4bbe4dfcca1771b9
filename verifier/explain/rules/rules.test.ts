import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Finding } from '../../model/finding.ts'
import { ARCHIVE_RULES, archiveFindings } from '../archive.ts'
import type { RuleText } from '../rule.ts'
import { PATH_RULES } from './all.ts'

const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !['all.ts', 'by-signal.ts'].includes(name))
  .map((name) => name.slice(0, -3))

async function ruleIn(file: string): Promise<RuleText> {
  const [rule] = Object.values(await import(pathToFileURL(path.join(import.meta.dirname, `${file}.ts`)).href))
  return rule as RuleText
}

const page = readFileSync(path.join(import.meta.dirname, '../../../docs/explain-rules.md'), 'utf8')

describe('the rules of explanation', () => {
  it.each(files)('%s says what is the matter and what to do, and is on the page', async (file) => {
    const rule = await ruleIn(file)
    expect(rule.id).toBe(file)
    const finding = {
      rule: rule.id,
      severity: rule.severity,
      path: null,
      line: null,
      message: rule.text,
      evidence: [],
      remedy: rule.remedy,
    }
    expect(Finding.safeParse(finding).success).toBe(true)
    expect(rule.text).toMatch(/^[A-Za-z].*\.$/s)
    expect(rule.remedy.length).toBeGreaterThan(10)
    const row = [`\`${file}\``, rule.severity, rule.text, rule.remedy].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')
    expect(page.split('\n').filter((line) => line === `| ${row} |`)).toHaveLength(1)
  })

  it('are all on the page and nothing else is', () => {
    const listed = [...page.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((match) => match[1])
    expect(new Set(listed)).toEqual(new Set(files))
    expect(listed).toHaveLength(files.length)
  })

  it('are all in use: by path, by archive, or by a reader of a format', async () => {
    const used = new Set<RuleText>([...PATH_RULES, ...ARCHIVE_RULES])
    const rest = (await Promise.all(files.map(ruleIn))).filter((rule) => !used.has(rule)).map((rule) => rule.id)
    expect(rest.toSorted()).toEqual([
      'ext4-hash-seed',
      'fat-time',
      'filesystem-id',
      'filesystem-time',
      'partition-id',
      'pe-timestamp',
      'unexplained',
      'verity-salt',
    ])
  })
})

describe('archiveFindings', () => {
  it('has nothing to say where nothing differs', () => {
    expect(archiveFindings({ transformations: [] })).toEqual([])
  })

  it('names every transformation and what was handed in', () => {
    const found = archiveFindings({
      transformations: ['tar-member-order', 'hard-link-leader', 'tar-encoding', 'compression'],
      compression: { left: 'gzip', right: 'zstd' },
      trailingBytes: { left: 0, right: 512 },
      sparse: true,
    })
    expect(found.map(({ rule, evidence }) => [rule, evidence])).toEqual([
      ['member-order', []],
      ['hard-link-leader', []],
      ['tar-encoding', []],
      ['sparse-pid', []],
      ['compression', ['gzip → zstd']],
      ['trailing-bytes', ['0 and 512 bytes']],
    ])
  })
})
