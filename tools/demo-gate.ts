import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseSha256, type Sha256 } from '../verifier/model/digest.ts'
import type { VerificationReport } from '../verifier/model/report.ts'
import { type DemoCommands, say, title } from './demo-commands.ts'
import { sha256Of } from './demo-files.ts'
import { APP_ID, IMAGE, writePolicy } from './demo-policy.ts'

/** What the first half of the demonstration leaves for the second. */
export type Reproduced = {
  readonly commands: DemoCommands
  readonly out: string
  readonly report: VerificationReport
  /** Of the image, as it was claimed and reproduced. */
  readonly manifest: Sha256
  /** Files: what was signed of it, and by which key. */
  readonly bundle: string
  readonly key: string
  /** Where the service reads its policies. */
  readonly policies: string
}

/** App-composes of the demonstration by their files: what was admitted, and one in which a digit of the image's digest is another. */
export type Composed = { readonly policy: string; readonly admitted: string; readonly tampered: string; readonly composeHash: Sha256 }

/** Says what may start, and asks about the image that was reproduced, and about one whose digest differs in one digit. */
export async function demonstrateGate(o: Reproduced): Promise<Composed> {
  const { commands, out, manifest, bundle } = o
  title('7. Somebody deploys: an app-compose that pins the image, and a policy that says what may start')
  const admitted = path.join(out, 'deployment')
  const composeHash = await compose(commands, manifest, admitted)
  const policy = path.join(o.policies, 'demo.yaml')
  const key = await readFile(o.key, 'utf8')
  await writePolicy(policy, { key, report: o.report, owner: 'local:operator', composes: [composeHash] })
  say('')
  await commands.run(['policy', 'explain', policy], 0)

  title('8. The gate is asked, and asked again where one digit of the digest is another')
  const ask = (folder: string, expected: number) =>
    commands.run(
      ['gate', '--policy', policy, '--bundle', bundle, '--app-id', APP_ID, '--app-compose', path.join(folder, 'app-compose.json')],
      expected,
    )
  await ask(admitted, 0)
  say('\n=> allow: these very bits were rebuilt from the repository that the policy names, for whom it names. Exit code 0.\n')
  const tampered = path.join(out, 'tampered-deployment')
  await compose(commands, otherDigit(manifest), tampered)
  say('')
  await ask(tampered, 1)
  say('\n=> deny: nobody admitted that app-compose, and nothing is attested of that image. Exit code 1.')
  return { policy, admitted, tampered, composeHash }
}

/** Writes the files that a guest is deployed with; gives the hash that dstack measures. */
async function compose(commands: DemoCommands, manifest: string, folder: string): Promise<Sha256> {
  const words = ['compose', 'create', `${IMAGE}@sha256:${manifest}`, '--name', 'simple-app', '--port', '3000', '--output', folder]
  await commands.run(words, 0)
  return parseSha256(await sha256Of(path.join(folder, 'app-compose.json')))
}

function otherDigit(digest: string): string {
  return digest.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
}
