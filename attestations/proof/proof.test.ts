import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../verifier/bytes/digest-of.ts'
import { encodeDocument } from '../../verifier/model/document.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { collectTar, inPieces } from '../../verifier/tar/testing/collect.ts'
import { honestReport } from '../testing/arbitrary-report.ts'
import { instructions } from './instructions.ts'
import { packProof } from './pack-proof.ts'
import type { CarriedMember, ProofContent } from './proof.ts'
import { readProof } from './read-proof.ts'
import { bundlesOfReport, consistent, LOCK_TEXT, proofWorld, type World } from './testing/proof-world.ts'

const testdata = path.join(import.meta.dirname, '../testdata')
const golden = path.join(testdata, 'reproduced.proof.tar')

async function packed({ content, open }: Pick<World, 'content' | 'open'>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(packProof(content, open).bytes))
}

/** What was read, and what was handed through, by role and digest. */
async function readBack(bytes: Uint8Array, piece?: number) {
  const carried = new Map<string, Buffer>()
  const read = await readProof(inPieces(bytes, piece), {
    carry: async ({ role, sha256 }: CarriedMember, body) => {
      carried.set(`${role} ${sha256}`, Buffer.concat(await Array.fromAsync(body, (part) => Buffer.from(part))))
    },
  })
  return { ...read, carried }
}

describe('a proof', () => {
  it('of version 1 is read, and written again to the same bytes', async () => {
    const kept = readFileSync(golden)
    const { proof, carried, sha256, size } = await readBack(kept)
    expect([sha256, size, proof.report.verdict]).toEqual([digestOf(kept), kept.length, 'reproduced'])
    const again = await packed({
      content: proof.content,
      open: async ({ role, sha256: digest }) => inPieces(carried.get(`${role} ${digest}`) ?? Buffer.alloc(0), 100),
    })
    expect(again.equals(kept)).toBe(true)
  })

  it('has the instructions whose digest the documentation gives', () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../docs/proof.md'), 'utf8')
    expect(page).toContain(`\`${digestOf(instructions())}\``)
  })

  it('begins with its index, which is as agreed', async () => {
    const bytes = await packed(await proofWorld())
    const [index] = await collectTar(bytes)
    expect(Buffer.from(index?.member.path ?? []).toString()).toBe('proof.json')
    await expect(index?.content.toString()).toMatchFileSnapshot(path.join(testdata, 'proof.json'))
  })

  it('is the same whatever the order of its parts was', async () => {
    const { content, open } = await proofWorld()
    const bytes = await packed({ content, open })
    const turned = await packed({ content: { ...content, bundles: content.bundles.toReversed() }, open })
    expect(turned.equals(bytes)).toBe(true)
  })

  it('gives what was put in, whatever is in it, in pieces of any size', async () => {
    const { content: whole, open, bytes } = await proofWorld()
    const honest = honestReport.filter(({ verdict }) => verdict !== null && verdict !== 'undecided')
    const parts = fc.record({
      report: honest,
      key: fc.boolean(),
      source: fc.boolean(),
      inputs: fc.boolean(),
      piece: fc.integer({ min: 1, max: 4000 }),
    })
    await fc.assert(
      fc.asyncProperty(parts, async ({ report: drawn, key, source, inputs, piece }) => {
        const { report, builder } = await consistent(drawn)
        const text = Buffer.from(encodeDocument(VerificationReport, report))
        const content: ProofContent = {
          report: text,
          bundles: bundlesOfReport(report, text),
          publicKey: key ? whole.publicKey : null,
          trustedRoot: null,
          lock: report.lock === null ? null : Buffer.from(LOCK_TEXT),
          builder,
          treeManifests: [],
          sbom: null,
          source: source ? whole.source : null,
          inputs: inputs && report.lock !== null ? whole.inputs : null,
        }
        const archive = await packed({ content, open })
        const { proof, carried, sha256 } = await readBack(archive, piece)
        const sorted = (bundles: readonly Uint8Array[]): string[] => bundles.map((bundle) => Buffer.from(bundle).toString()).toSorted()
        expect({ ...proof.content, bundles: sorted(proof.content.bundles) }).toEqual({ ...content, bundles: sorted(content.bundles) })
        expect(proof.report).toEqual(report)
        expect([...carried.values()]).toEqual(
          [content.source, content.inputs].flatMap((one) => (one === null ? [] : [bytes.get(one.sha256)])),
        )
        expect(sha256).toBe(digestOf(archive))
        expect((await packed({ content: proof.content, open })).equals(archive)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('is checked the same whether or not somebody takes what it carries', async () => {
    const bytes = await packed(await proofWorld())
    expect((await readProof(inPieces(bytes))).proof).toEqual((await readBack(bytes)).proof)
  })

  it('is not written of bytes that are no longer the ones that were looked at', async () => {
    const { content } = await proofWorld()
    for (const other of ['another recipe tar.', 'short', 'much longer than the source was'])
      await expect(packed({ content, open: async () => inPieces(Buffer.from(other)) })).rejects.toMatchObject({
        code: 'proof-member-differs',
      })
  })
})
