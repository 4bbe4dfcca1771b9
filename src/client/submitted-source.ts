import { createHash } from 'node:crypto'
import { createWriteStream, openAsBlob } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { namedChunks } from '../../verifier/bytes/named-file.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import { pinSource } from '../../verifier/source/pin-source.ts'
import { OWN_ACCESS, parseSourceRef } from '../../verifier/source/source-ref.ts'
import type { SubmissionRequest } from '../app/service/api-documents.ts'

/** Bytes of this machine that the service may need. */
export type LocalBytes = { readonly what: string; readonly sha256: Sha256; readonly blob: Blob }

export type SubmittedSource = { readonly source: SubmissionRequest['source']; readonly bytes: LocalBytes | null }

/** What a repository may be is for the service to say: it is the one that fetches it. */
const ACCESS = { ...OWN_ACCESS, localRepositories: true, plainHttp: true, privateHosts: true }

/**
 * What a source is to the service. A folder is packed: in canonical form, so that the same files are the same upload wherever they lie. An
 * archive goes as it is. `scratch` is a private folder. Needs no git: a repository is for the service to fetch. Failures: `source-…`.
 */
export async function submittedSource(
  text: string,
  o: { readonly scratch: string; readonly signal: AbortSignal },
): Promise<SubmittedSource> {
  const ref = parseSourceRef(text, ACCESS)
  switch (ref.kind) {
    case 'git': {
      if (ref.revision === null)
        throw new Failure({
          code: 'source-revision-missing',
          message: 'nothing says which commit is to be rebuilt',
          hint: 'name a commit, a tag or a branch: https://HOST/REPOSITORY.git#COMMIT[:FOLDER]',
        })
      return { source: { kind: 'git', url: ref.url, commit: ref.revision, path: ref.path }, bytes: null }
    }
    case 'archive': {
      const bytes = await localBytes('the source', ref.file, o.signal)
      return { source: { kind: 'archive', sha256: bytes.sha256, name: path.basename(ref.file), path: ref.path }, bytes }
    }
    case 'folder': {
      await using tree = await pinSource(ref, { ...o, access: ACCESS })
      const name = `${path.basename(path.resolve(ref.folder))}.tar`
      const packed = path.join(o.scratch, 'source.tar')
      await pipeline(Readable.from(tree.tar()), createWriteStream(packed, { flags: 'wx', mode: 0o600 }), { signal: o.signal })
      const bytes = await localBytes('the source', packed, o.signal)
      return { source: { kind: 'archive', sha256: bytes.sha256, name, path: '.' }, bytes }
    }
    default:
      return ref satisfies never
  }
}

/** A file of this machine and its digest. Failure: `file-unreadable`. */
export async function localBytes(what: string, file: string, signal: AbortSignal): Promise<LocalBytes> {
  const hash = createHash('sha256')
  for await (const part of namedChunks(file, { what, signal })) hash.update(part)
  return { what, sha256: sha256Of(hash), blob: await openAsBlob(file) }
}
