import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addSummary, setOutputs } from './runner-files.ts'
import { parseOutputs } from './testing/step.ts'
import { errorCommand } from './workflow-commands.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-runner-'))
  file = path.join(folder, 'file')
})
afterEach(() => rm(folder, { recursive: true }))

describe('setOutputs', () => {
  it('sets exactly what it is given, whatever is in it', async () => {
    const mean = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a\nverdict=forged', 'x\nEOF\nverdict<<EOF\nforged\nEOF', '\r\n', '<<'),
    )
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom('verdict', 'digest', 'tier'), mean), async (outputs) => {
        await setOutputs(file, outputs)
        const read = parseOutputs(await readFile(file, 'utf8'))
        expect(Object.keys(read).toSorted()).toEqual(Object.keys(outputs).toSorted())
        for (const [name, value] of Object.entries(outputs)) if (/^[\x20-\x7e]*$/.test(value)) expect(read[name]).toBe(value)
        await rm(file)
      }),
      { numRuns: 60 },
    )
  })
})

describe('addSummary', () => {
  it('keeps within what GitHub takes, and closes what it cut open', async () => {
    const lines = ['<details><summary>x</summary>', ...Array.from({ length: 30_000 }, () => 'x'.repeat(99)), '</details>']
    await addSummary(file, lines)
    const text = await readFile(file, 'utf8')
    expect(text.length).toBeLessThan(1_000_000)
    expect(text.length).toBeGreaterThan(900_000)
    expect(text.endsWith('</details>\n\n… the rest does not fit into a summary.\n')).toBe(true)
    await addSummary(file, lines)
    expect((await readFile(file, 'utf8')).length).toBeLessThan(1_048_576)
  })

  it('writes nothing where there is no summary', async () => {
    await addSummary(null, ['x'])
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

it('an annotation is one line, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(errorCommand(text)).toMatch(/^::error::[^\r\n]*\n$/)
    }),
  )
})
