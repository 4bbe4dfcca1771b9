import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import type { RequiredSigner } from '../policy.ts'
import type { Question } from './ask.ts'
import { ARTIFACT } from './case-world.ts'
import type { Answer, InteropCase } from './interop-case.ts'

/** Paths of Debian's cosign 3 and of the program of sigstore-go. */
export type Tools = { readonly cosign: string; readonly sigstoreGo: string }

export type Said = { readonly answer: Answer; readonly output: string }

/** Puts a question to both. The folder holds its files afterwards; its name stands in no command. */
export async function askOthers(
  question: Question,
  { signed }: Pick<InteropCase, 'signed'>,
  o: { readonly tools: Tools; readonly folder: string },
): Promise<{ readonly cosign: Said; readonly sigstoreGo: Said }> {
  const files = { bundle: 'bundle.sigstore.json', root: 'trusted_root.json', artifact: 'artifact', key: 'key.pub' }
  const { signer } = question.policy
  await writeFile(path.join(o.folder, files.bundle), question.bundle)
  await writeFile(path.join(o.folder, files.root), question.root)
  await writeFile(path.join(o.folder, files.artifact), ARTIFACT)
  if (signer.kind === 'key') await writeFile(path.join(o.folder, files.key), signer.publicKeys[0] ?? '')
  const [cosign, sigstoreGo] = await Promise.all([
    runTool(o.tools.cosign, cosignArguments(question, signed), o.folder),
    runTool(o.tools.sigstoreGo, sigstoreGoArguments(question, signed), o.folder),
  ])
  return { cosign, sigstoreGo }
}

type Signed = InteropCase['signed']

const COSIGN_KEY: Readonly<Record<Exclude<Signed, 'certificate'>, readonly string[]>> = {
  key: ['--insecure-ignore-tlog'],
  'key and timestamp': ['--insecure-ignore-tlog', '--trusted-root', 'trusted_root.json', '--use-signed-timestamps'],
  'key and log': ['--trusted-root', 'trusted_root.json'],
}

/** As docs/verifying.md tells people to ask. */
export function cosignArguments({ policy }: Pick<Question, 'policy'>, signed: Signed): readonly string[] {
  const { signer, predicateType } = policy
  const who =
    signed === 'certificate' || signer.kind === 'certificate'
      ? ['--trusted-root', 'trusted_root.json', ...certificateFlags(signer, ['--certificate-identity', '--certificate-oidc-issuer'])]
      : ['--key', 'key.pub', ...COSIGN_KEY[signed]]
  return ['verify-blob-attestation', '--bundle', 'bundle.sigstore.json', ...who, '--type', predicateType, 'artifact']
}

export function sigstoreGoArguments({ policy: { signer } }: Pick<Question, 'policy'>, signed: Signed): readonly string[] {
  const who =
    signer.kind === 'certificate'
      ? certificateFlags(signer, ['-expectedSAN', '-expectedIssuer'])
      : ['-publicKey', 'key.pub', '-requireCTlog=false', ...(signed === 'key and log' ? [] : ['-requireTlog=false'])]
  return ['-artifact', 'artifact', '-trustedrootJSONpath', 'trusted_root.json', ...who, 'bundle.sigstore.json']
}

function certificateFlags(signer: RequiredSigner, [name, issuer]: readonly [string, string]): readonly string[] {
  if (signer.kind === 'certificate' && typeof signer.subjectAlternativeName === 'string')
    return [name, signer.subjectAlternativeName, issuer, signer.issuer]
  throw new Error('the other tools take no such name')
}

/** Runs one of them, or anything that answers by its exit code. */
export async function runTool(program: string, args: readonly string[], cwd: string): Promise<Said> {
  // Without a home nothing that another run has cached answers in its stead.
  const done = await execa(program, args, { cwd, reject: false, timeout: 60_000, all: true, env: { HOME: cwd, TUF_ROOT: cwd } })
  if (done.exitCode === undefined) throw new Error(`${path.basename(program)} did not run to its end`)
  return { answer: done.exitCode === 0 ? 'accepts' : 'refuses', output: done.all ?? '' }
}
