import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { measurementOf, readBootMeasurements } from './boot-measurements.ts'

const hex = (digit: string): string => digit.repeat(96)
const ONE = { os_image_hash: 'd'.repeat(64), mrtd: hex('A'), rtmr0: hex('b'), rtmr1: hex('c'), rtmr2: hex('d') }
const READ = { osImageHash: 'd'.repeat(64), registers: [hex('a'), hex('b'), hex('c'), hex('d')] }
const { signal } = new AbortController()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-measurements-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const read = async (text: string) => {
  const file = path.join(folder, 'image.json')
  await writeFile(file, text)
  return await readBootMeasurements(file, signal)
}

it('reads what one image, or one of several, measures to', async () => {
  expect(await read(JSON.stringify({ ...ONE, anything: 1 }))).toEqual([READ])
  expect(await read(JSON.stringify([ONE, { ...ONE, rtmr0: hex('e') }]))).toEqual([
    READ,
    { ...READ, registers: [hex('a'), hex('e'), hex('c'), hex('d')] },
  ])
})

it('knows an image by all of its registers', async () => {
  const measured = await read(JSON.stringify(ONE))
  const [mrtd, ...rest] = [hex('a'), hex('b'), hex('c'), hex('d')]
  const seen = { mrtd: mrtd ?? '', rtmrs: [rest[0] ?? '', rest[1] ?? '', rest[2] ?? '', hex('9')] as const }
  expect(measurementOf(measured, seen)).toEqual(READ)
  expect(measurementOf(measured, { ...seen, mrtd: hex('0') })).toBeUndefined()
  for (const index of [0, 1, 2])
    expect(measurementOf(measured, { ...seen, rtmrs: seen.rtmrs.with(index, hex('0')) as unknown as typeof seen.rtmrs })).toBeUndefined()
  expect(measurementOf([], seen)).toBeUndefined()
})

it.each([
  ['no image', { ...ONE, os_image_hash: undefined }],
  ['a register of another length', { ...ONE, mrtd: 'ab' }],
  ['a register that is missing', { ...ONE, rtmr2: undefined }],
  ['none', []],
  ['a text', 'x'],
])('refuses %s', async (_, value) => {
  await expect(read(JSON.stringify(value))).rejects.toMatchObject({ code: 'measurements-malformed' })
})

it('refuses what can be read in two ways, and what is not there', async () => {
  await expect(read(JSON.stringify(ONE).replace('{', '{"mrtd":"",'))).rejects.toMatchObject({ code: 'json-duplicate-key' })
  await expect(readBootMeasurements(path.join(folder, 'absent'), signal)).rejects.toMatchObject({ code: 'measurements-unread' })
})
