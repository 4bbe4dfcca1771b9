import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { allScreens } from '../src/cli/app.ts'
import { repositoryFiles, root } from './repository.ts'

const pages = repositoryFiles().filter(
  (name) => name.endsWith('.md') && !name.startsWith('mkosi/corpus/cases/') && existsSync(path.join(root, name)),
)
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8')

describe('the documentation', () => {
  it.each(pages)('%s links to files that are there', (page) => {
    const targets = [...read(page).matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
    expect(targets.filter((target) => !existsSync(path.join(root, path.dirname(page), target)))).toEqual([])
  })

  it.each(pages)('%s names files and folders of the repository that are there', (page) => {
    const named = [...read(page).matchAll(/`((?:src|verifier|attestations|tools|test|mkosi|docs|schemas|\.ci)\/[A-Za-z0-9_./-]*)`/g)].map(
      (match) => match[1] ?? '',
    )
    expect(named.filter((name) => !existsSync(path.join(root, name)))).toEqual([])
  })

  it.each(pages)('%s writes commands as the command line takes them', (page) => {
    expect(commandsIn(read(page)).flatMap(objections)).toEqual([])
  })

  it('is read where commands are checked', () => {
    expect(pages.flatMap((page) => commandsIn(read(page))).length).toBeGreaterThan(5)
    expect(objections('bitwitness verfy ./x')).toHaveLength(1)
    expect(objections('bitwitness check ./x --no-such-flag')).toHaveLength(1)
    expect(objections('bitwitness verify ./x --claim sha256:… --lock f')).toEqual([])
  })

  it('tells every make target that a page names', () => {
    const targets = [...read('Makefile').matchAll(/^([a-z-]+):/gm)].map((match) => match[1])
    const named = pages.flatMap((page) => [...read(page).matchAll(/(?:^|`)make ([a-z-]+)/gm)].map((match) => match[1]))
    expect(named.filter((name) => !targets.includes(name))).toEqual([])
  })
})

/** Commands in code blocks and in code spans. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/^(?: {4}|\$ )?(?:npx )?(bitwitness [a-z].*)$|`(?:npx )?(bitwitness [a-z][^`]*)`/gm)].map((match) =>
    (match[1] ?? match[2] ?? '').trim(),
  )
}

/** Commands that stand for their group: its name alone calls them. */
const DEFAULTS = ['bitwitness gate ask', 'bitwitness worker run']
const groupOf = (command: string): string => command.slice(0, command.lastIndexOf(' '))

function objections(command: string): string[] {
  const words = command.replaceAll(/ +/g, ' ')
  const screen = allScreens()
    .toSorted(([a], [b]) => b.length - a.length)
    .find(([name]) =>
      [name, ...DEFAULTS.filter((one) => one === name).map(groupOf)].some((said) => words === said || words.startsWith(`${said} `)),
    )
  if (screen === undefined) return isGroup(words) ? [] : [`there is no command ${words}`]
  const flags = words.match(/(?<=\s)--[a-z-]+/g) ?? []
  return flags.filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(screen[1])).map((flag) => `${screen[0]} has no ${flag}`)
}

/** `builder`, `builder build|list`: a group of commands, or some of it. */
function isGroup(words: string): boolean {
  const [group = '', ...rest] = words.split(/ (?=[^ ]*\|)/)
  const members = (rest[0] ?? '').split('|').filter((member) => member !== '')
  const names = allScreens().map(([name]) => name)
  return members.length === 0
    ? names.some((name) => name.startsWith(`${group} `))
    : members.every((member) => names.includes(`${group} ${member}`))
}
