import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { encodeDocument } from '../../../verifier/model/document.ts'
import { collectTar } from '../../../verifier/tar/testing/collect.ts'
import { inlineFile, writeTar } from '../../../verifier/tar/write.ts'
import { packProof } from '../pack-proof.ts'
import { INDEX_NAME, ProofIndex } from '../proof-index.ts'
import { proofWorld } from './proof-world.ts'

/** Members of a proof by name, in the order in which they lie. */
export type Members = Map<string, Buffer>
export type Index = { schema: string; members: Record<string, unknown>[] }

/** A good proof, taken apart. */
export async function goodMembers(): Promise<Members> {
  const { content, open } = await proofWorld()
  const archive = Buffer.concat(await Array.fromAsync(packProof(content, open).bytes))
  return new Map((await collectTar(archive)).map(({ member, content: bytes }) => [Buffer.from(member.path).toString(), bytes]))
}

/** An archive of members as they are, whatever their index says. */
export async function archiveOf(members: ReadonlyMap<string, Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTar([...members].map(([path, bytes]) => inlineFile(path, bytes)))))
}

/** The index in members, changed, and written as indexes are where it still has the form of one. */
export function changeIndex(members: Members, change: (index: Index) => void): void {
  const index = JSON.parse(members.get(INDEX_NAME)?.toString() ?? '') as Index
  change(index)
  const parsed = ProofIndex.safeParse(index)
  const text = parsed.success ? encodeDocument(ProofIndex, parsed.data) : `${JSON.stringify(index, null, 2)}\n`
  members.set(INDEX_NAME, Buffer.from(text))
}

/** Puts other bytes in, and says so in the index: what a forger would do. */
export function replace(members: Members, path: string, bytes: Uint8Array): void {
  members.set(path, Buffer.from(bytes))
  changeIndex(members, (index) => {
    for (const one of index.members)
      if (one['path'] === path) Object.assign(one, { sha256: digestOf(members.get(path) ?? bytes), size: bytes.length })
  })
}

/** Takes a member out, of the index too. */
export function remove(members: Members, ...paths: readonly string[]): void {
  for (const path of paths) members.delete(path)
  changeIndex(members, (index) => {
    index.members = index.members.filter(({ path }) => !paths.includes(String(path)))
  })
}

/** Puts another bundle in the place of one, with its statement. */
export function replaceBundle(members: Members, kind: string, bundle: Uint8Array, statement: Uint8Array): void {
  replace(members, `attestations/${kind}.sigstore.json`, bundle)
  replace(members, `attestations/${kind}.statement.json`, statement)
}
