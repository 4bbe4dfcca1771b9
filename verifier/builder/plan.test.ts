import { expect, it } from 'vitest'
import type { Recipe } from '../model/recipe.ts'
import { expectedOutputs, planBuild } from './plan.ts'

const recipe: Recipe = {
  images: [{ name: 'main', format: 'tar', output: 'app', packages: [], scripts: [] }],
  distribution: 'debian',
  release: 'bookworm',
  architecture: null,
  sourceDateEpoch: null,
  snapshot: null,
  mirrors: [],
  imageConfig: { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} },
  profiles: [],
  files: [],
  pins: { present: [], missing: [] },
}
const options = { recipe, sandboxTree: [], sourceDateEpoch: null, profiles: [] }

it('builds and summarises with the same settings', () => {
  const { job } = planBuild(options)
  expect(job.command.slice(0, -1)).toEqual(job.summary.slice(0, -2))
  expect(job.command.at(-1)).toBe('build')
})

it("keeps the recipe's epoch and gives one to a recipe without", () => {
  expect(planBuild({ ...options, recipe: { ...recipe, sourceDateEpoch: 1701475200 }, sourceDateEpoch: 5 }).sourceDateEpoch).toBe(1701475200)
  expect(planBuild({ ...options, sourceDateEpoch: 5 }).sourceDateEpoch).toBe(5)
  expect(planBuild(options).job.environment['SOURCE_DATE_EPOCH']).toBe('0')
})

it('leaves compression to the formats that cannot be without', () => {
  const oci = { ...recipe, images: recipe.images.map((image) => ({ ...image, format: 'oci' })) }
  expect(planBuild(options).job.command).toContain('--compress-output=no')
  expect(planBuild({ ...options, recipe: oci }).job.command).not.toContain('--compress-output=no')
})

it('puts nothing of ours into the environment of a build but what is fixed', () => {
  expect(Object.keys(planBuild(options).job.environment).toSorted()).toEqual(
    ['HOME', 'LANG', 'LC_ALL', 'PATH', 'SOURCE_DATE_EPOCH', 'SYSTEMD_COLORS', 'TERM', 'TZ'].toSorted(),
  )
})

it("reads the expected outputs from mkosi's summary", () => {
  const summary = {
    Images: [
      { Image: null, Output: 'app', Format: 'tar' },
      { Image: 'initrd', Output: 'i', Format: 'cpio' },
    ],
  }
  expect(expectedOutputs(summary)).toEqual([
    { image: 'main', stem: 'app', file: 'app.tar', format: 'tar' },
    { image: 'initrd', stem: 'i', file: 'i.cpio', format: 'cpio' },
  ])
})

it.each(['vfat', 'constructor', '__proto__', 'toString'])('expects no output in the format %s, which mkosi does not build', (format) => {
  const summary = { Images: [{ Image: null, Output: 'app', Format: format }] }
  expect(expectedOutputs(summary)).toEqual([])
})

it.each([
  ['no summary', undefined],
  ['another shape', { Images: 'main' }],
  ['a name that leaves the folder', { Images: [{ Output: '../app', Format: 'tar' }] }],
  ['a hidden name', { Images: [{ Output: '.app', Format: 'tar' }] }],
  ['an entry that is no object', { Images: [null] }],
])('believes no summary with %s', (_, summary) => {
  expect(expectedOutputs(summary)).toBeUndefined()
})
