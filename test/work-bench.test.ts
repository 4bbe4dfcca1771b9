import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import type { Ports } from '../src/app/ports.ts'
import type { BuilderRoom } from '../src/builder-room.ts'
import type { EngineRoom } from '../src/engine/engine-room.ts'
import { type WorkBench, type WorkBenchOptions, workBench } from '../src/work-bench.ts'
import { partsOfBuilder } from '../verifier/builder/image-check.ts'
import type { BuilderImage } from '../verifier/builder/image-description.ts'
import { smallBuilder } from '../verifier/builder/testing/small-builder.ts'

/** More than any disk has. */
const NEVER = Number.MAX_SAFE_INTEGER

type BenchOptions = Pick<WorkBenchOptions, 'minFreeBytes' | 'spend'> & {
  readonly answers?: () => Promise<boolean>
  readonly known?: BuilderImage
}

async function bench({ answers = async () => true, known, ...o }: BenchOptions): Promise<WorkBench> {
  const { builder } = await smallBuilder()
  return workBench({
    ports: { version: '1' } as Ports,
    engine: { slots: 2, architecture: 'amd64', engine: { answers } } as EngineRoom,
    builders: { known: async () => known, list: async () => [builder, ...(known === undefined ? [] : [known])] } as unknown as BuilderRoom,
    home: tmpdir(),
    ...o,
  })
}

it('takes more attempts as long as there is room on the disk', async () => {
  const roomy = await bench({ minFreeBytes: 1, spend: () => Promise.reject(new Error('there is room')) })
  expect(await roomy.obstacle({ idle: true })).toBeNull()
  const full = await bench({ minFreeBytes: NEVER, spend: null })
  expect(await full.obstacle({ idle: true })).toMatchObject({ code: 'disk-space-low' })
})

it('begins nothing while its engine is away, and goes on once it answers', async () => {
  const said = [false, true]
  const { obstacle } = await bench({ minFreeBytes: 1, spend: null, answers: async () => said.shift() ?? false })
  expect(await obstacle({ idle: true })).toMatchObject({ code: 'engine-unreachable', retryable: true, audience: 'operator' })
  expect(await obstacle({ idle: true })).toBeNull()
})

it('makes room where nothing runs, and spares what its builders are made of', async () => {
  const { builder } = await smallBuilder()
  const spent: unknown[] = []
  const full = await bench({
    minFreeBytes: NEVER,
    spend: async ({ spared, enough }) => {
      spent.push([...spared], await enough())
    },
  })
  expect(await full.obstacle({ idle: false })).toMatchObject({ code: 'disk-space-low' })
  expect(spent).toEqual([])
  expect(await full.obstacle({ idle: true })).toMatchObject({ code: 'disk-space-low' })
  expect(spent).toEqual([[...partsOfBuilder(builder)], false])
})

it('says what it can do', async () => {
  const { builder } = await smallBuilder()
  const { slots, version, capabilities } = await bench({ minFreeBytes: 1, spend: null })
  expect({ slots, version, ...(await capabilities()) }).toEqual({
    slots: 2,
    version: '1',
    architecture: 'amd64',
    builders: [builder.digest],
    isolation: 'shared-kernel',
  })
})

it('names the builder first that it takes by default', async () => {
  const [{ builder }, { builder: own }] = [await smallBuilder(), await smallBuilder('own')]
  const { capabilities } = await bench({ minFreeBytes: 1, spend: null, known: own })
  expect((await capabilities()).builders).toEqual([own.digest, builder.digest])
})
