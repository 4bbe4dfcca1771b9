import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { SubmissionDocument } from '../src/client/submission-document.ts'
import { InputRefused, type Inputs } from './inputs.ts'
import type { Program } from './program.ts'
import type { Service } from './service.ts'

export type RebuiltThere = {
  readonly exit: number
  /** Null where the program failed: it said why in the log. */
  readonly submission: SubmissionDocument | null
  /** Files of the bundles that were signed, by what they say. */
  readonly bundles: readonly { readonly predicateType: string; readonly file: string; readonly url: string }[]
}

export type Claimed = { readonly claims: readonly string[]; readonly lock: string | null; readonly inputs: string | null }

/** Has the service rebuild, waits for the verdict, and fetches what was signed of it. */
export async function rebuildThere(
  program: Program,
  o: { readonly inputs: Inputs; readonly claimed: Claimed; readonly service: Service; readonly folder: string },
): Promise<RebuiltThere> {
  const { inputs, claimed, service } = o
  const { exit, value } = await program.document<SubmissionDocument>(
    'submit',
    [
      `--server=${service.url('').href}`,
      `--attempts=${inputs.attempts}`,
      ...claimed.claims.flatMap((claim) => ['--claim', claim]),
      ...(claimed.lock === null ? [] : ['--lock', claimed.lock]),
      ...(claimed.inputs === null ? [] : ['--inputs', claimed.inputs]),
      '--verbose',
      '--',
      sourceOf(inputs),
    ],
    { cwd: inputs.workspace, identity: { token: inputs.token } },
  )
  const submission = value?.schema === 'bitwitness/submission/v1' ? value : null
  return { exit, submission, bundles: submission === null ? [] : await bundlesOf(submission, o) }
}

/** The commit that the job is about, or the folder as it lies here. */
function sourceOf({ source, repository, recipe }: Inputs): string {
  if (source === 'upload') return `./${recipe}`
  if (repository === null) throw new InputRefused('source: this job is about no commit of a repository; give upload')
  const { url, commit } = repository
  return `${url}#${commit}${recipe === '.' ? '' : `:${recipe}`}`
}

async function bundlesOf(
  { verification }: SubmissionDocument,
  { service, folder }: { readonly service: Service; readonly folder: string },
): Promise<RebuiltThere['bundles']> {
  const bundles: { predicateType: string; file: string; url: string }[] = []
  for (const { predicateType, bundle } of verification.attestations) {
    const bytes = await service.blob(bundle)
    if (bytes === null) continue
    // A type is a stranger's text: a file gets no name from it but the words that we know.
    const word = /^bitwitness:(reproduced|rebuild-result)\/v\d+$/.exec(predicateType)?.[1] ?? `statement-${bundles.length + 1}`
    const file = path.join(folder, `${word}.sigstore.json`)
    await writeFile(file, bytes)
    bundles.push({ predicateType, file, url: service.url(`v1/blobs/${bundle}`).href })
  }
  return bundles
}
