import { describe, expect, test } from 'vitest'
import { RULES } from '../rules/all.ts'
import { SETTINGS, settingNamed } from './all.ts'

describe('the table of settings', () => {
  test('has each name once', () => {
    const names = SETTINGS.flatMap(({ name, aliases }) => [name, ...aliases])
    // Renamed in 26, when it became a list.
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
    expect(SETTINGS.length).toBeGreaterThan(180)
  })

  test('names rules that exist', () => {
    const rules = new Set(RULES.map(({ id }) => id))
    const named = SETTINGS.flatMap(({ concern }) => (typeof concern === 'string' ? [] : concern))
    expect(named.filter((id) => !rules.has(id))).toEqual([])
  })

  test('gives every script and every tree a rule of its own', () => {
    const unwatched = SETTINGS.filter(({ shape, concern }) => (shape === 'scripts' || shape === 'trees') && typeof concern === 'string')
    expect(unwatched.map(({ name }) => name)).toEqual(['BuildSources', 'RuntimeTrees'])
  })

  test('looks names up as mkosi does', () => {
    expect(settingNamed('PackageManagerTrees')?.name).toBe('SandboxTrees')
    expect(settingNamed('packages')).toBeUndefined()
    expect(settingNamed('constructor')).toBeUndefined()
  })
})
