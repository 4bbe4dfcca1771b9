import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseOutputs } from './testing/step.ts'

const folder = import.meta.dirname
const text = readFileSync(path.join(folder, 'action.yml'), 'utf8')

type ActionStep = {
  readonly name?: string
  readonly id?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly run?: string
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
}
type Action = {
  readonly name: string
  readonly description: string
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: unknown }>>
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] }
}
const action = parse(text) as Action

/** What GitHub documents for composite actions ("Metadata syntax reference"). */
const FIELDS = {
  action: ['name', 'author', 'description', 'inputs', 'outputs', 'runs', 'branding'],
  input: ['description', 'required', 'default', 'deprecationMessage'],
  output: ['description', 'value'],
  step: ['run', 'shell', 'if', 'name', 'id', 'env', 'working-directory', 'uses', 'with', 'continue-on-error'],
}

describe('action.yml', () => {
  it('has the fields that GitHub documents, and no others', () => {
    expect(Object.keys(action).filter((key) => !FIELDS.action.includes(key))).toEqual([])
    for (const input of Object.values(action.inputs)) {
      expect(Object.keys(input).filter((key) => !FIELDS.input.includes(key))).toEqual([])
      expect(typeof input.default).toBe('string')
    }
    for (const output of Object.values(action.outputs)) expect(Object.keys(output)).toEqual(FIELDS.output)
    for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)]) expect(name).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(action.runs.using).toBe('composite')
    for (const step of action.runs.steps) {
      expect(Object.keys(step).filter((key) => !FIELDS.step.includes(key))).toEqual([])
      expect((step.run === undefined) !== (step.uses === undefined)).toBe(true)
      if (step.run !== undefined) expect(step.shell).toBe('bash')
      for (const value of Object.values({ ...step.with, ...step.env })) expect(typeof value).toBe('string')
    }
  })

  it('puts no value of a workflow into a script, where it would be run', () => {
    for (const { run = '' } of action.runs.steps) expect(run).not.toContain('${{')
  })

  it('pins the actions of others by commit', () => {
    const used = action.runs.steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]))
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((uses) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses))).toEqual([])
  })

  it('hands every input over, and what it hands over is read', () => {
    const handed = action.runs.steps.flatMap(({ env = {} }) =>
      Object.values(env).flatMap((value) => /inputs\.([a-z-]+)/.exec(value)?.[1] ?? []),
    )
    expect(handed.toSorted()).toEqual(Object.keys(action.inputs).toSorted())
    const scripts = ['inputs.ts', 'install.ts'].map((name) => readFileSync(path.join(folder, name), 'utf8')).join('')
    const variables = action.runs.steps.flatMap(({ env = {} }) => Object.keys(env)).filter((name) => name.startsWith('INPUT_'))
    expect(variables.filter((name) => !scripts.includes(`'${name.replace('INPUT_', '')}'`) && !scripts.includes(name))).toEqual([])
  })

  it('names outputs that its steps set', () => {
    const main = readFileSync(path.join(folder, 'main.ts'), 'utf8')
    for (const [name, { value }] of Object.entries(action.outputs)) {
      expect(value).toBe(`\${{ steps.rebuild.outputs.${name} }}`)
      expect(main).toMatch(new RegExp(`^ {4}'?${name}'?: `, 'm'))
    }
  })

  it('is described on its page', () => {
    const page = readFileSync(path.join(folder, '../docs/action.md'), 'utf8')
    for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)]) expect(page).toContain(`| \`${name}\` |`)
  })
})

describe('the scripts', () => {
  let work: string
  beforeEach(() => {
    work = mkdtempSync(path.join(tmpdir(), 'bitwitness-action-'))
  })
  afterEach(() => rmSync(work, { recursive: true }))

  /** As GitHub lays an action's repository down: nothing is installed yet. */
  const bare = (): string => {
    for (const file of [
      'src/cli/render/markdown.ts',
      'verifier/model/visible.ts',
      ...readdirSync(folder)
        .filter((name) => /(?<!\.test)\.ts$/.test(name))
        .map((name) => `action/${name}`),
    ]) {
      mkdirSync(path.dirname(path.join(work, file)), { recursive: true })
      cpSync(path.join(folder, '..', file), path.join(work, file))
    }
    writeFileSync(path.join(work, 'package.json'), '{"type":"module"}')
    return path.join(work, 'action')
  }

  it('need no package, since none is installed when they begin', async () => {
    const scripts = bare()
    const ran = await execa(process.execPath, [path.join(scripts, 'main.ts')], { env: { RUNNER_TEMP: work }, reject: false, all: true })
    expect(ran.all).toBe('::error::the program was not installed')
  })

  it.each(['bitwitness', 'bitwitness@1.0.0', 'git+https://x.example/y.git', '--global', 'http://x.example/a.tgz'])(
    'install nothing by %j',
    async (spec) => {
      const ran = await execa(process.execPath, [path.join(bare(), 'install.ts')], {
        env: { RUNNER_TEMP: work, INPUT_BITWITNESS: spec, GITHUB_OUTPUT: path.join(work, 'output') },
        reject: false,
        all: true,
      })
      expect([ran.exitCode, ran.all.split('\n')[0]]).toEqual([
        1,
        '::error::bitwitness: give the path or the https URL of a tarball that npm pack made',
      ])
    },
  )

  it('install a tarball that npm pack made, and say where its program is', async () => {
    const made = path.join(work, 'package')
    mkdirSync(path.join(made, 'src/bin'), { recursive: true })
    writeFileSync(path.join(made, 'package.json'), '{"name":"bitwitness","version":"9.9.9","bin":"src/bin/bitwitness.js"}')
    writeFileSync(path.join(made, 'src/bin/bitwitness.js'), '')
    await execa('npm', ['pack', '--silent'], { cwd: made })
    const output = path.join(work, 'output')
    const ran = await execa(process.execPath, [path.join(bare(), 'install.ts')], {
      cwd: work,
      env: { RUNNER_TEMP: work, INPUT_BITWITNESS: './package/bitwitness-9.9.9.tgz', GITHUB_OUTPUT: output },
      reject: false,
      all: true,
    })
    expect(ran.exitCode, ran.all).toBe(0)
    expect(parseOutputs(readFileSync(output, 'utf8'))['program']).toMatch(/node_modules\/bitwitness\/src\/bin\/bitwitness\.js$/)
  })
})
