import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, it } from 'vitest'
import { askOurs, questionOf } from './testing/ask.ts'
import { type CaseWorld, caseWorld } from './testing/case-world.ts'
import { CASES } from './testing/cases.ts'
import { fetchedTools, NO_TOOLS } from './testing/fetched-tools.ts'
import { askOthers } from './testing/other-tools.ts'

const tools = fetchedTools()
let world: CaseWorld
beforeAll(async () => {
  world = await caseWorld()
})

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-interop-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** The table of docs/verifying.md, asked of the tools themselves. */
describe('cosign, sigstore-go and ours', () => {
  it.for(Object.entries(CASES))('%s: each answers as the table says', async ([, one], { skip, expect }) => {
    if (tools === undefined) return skip(NO_TOOLS)
    const question = questionOf(await one.make(world), one, world)
    const others = await askOthers(question, one, { tools, folder })
    const said = { ours: askOurs(question).code, cosign: others.cosign.answer, sigstoreGo: others.sigstoreGo.answer }
    expect(said, `${others.cosign.output}\n${others.sigstoreGo.output}`).toEqual({
      ours: one.ours?.code ?? null,
      cosign: one.cosign,
      sigstoreGo: one.sigstoreGo,
    })
  })
})
