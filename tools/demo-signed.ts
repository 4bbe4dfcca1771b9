import { link, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { cosignCommand } from '../src/app/cosign-command.ts'
import { parseSha256, type Sha256 } from '../verifier/model/digest.ts'
import { type DemoCommands, say, shown } from './demo-commands.ts'
import { DemoFailed, sha256Of } from './demo-files.ts'
import type { DemoService } from './demo-service.ts'

type Known = { readonly items: readonly { readonly verification: { readonly attestations: readonly Signed[] } }[] }
type Signed = { readonly predicateType: string; readonly bundle: string }

/** Files of what was signed, and by which key; and the words that cosign verifies it by. */
export type Taken = { readonly bundle: string; readonly key: string; readonly check: readonly string[] }

/** Downloads what was signed of step 3 and verifies it. */
export async function takeSigned(
  commands: DemoCommands,
  service: DemoService,
  {
    out,
    published,
    sha256,
    source,
  }: { readonly out: string; readonly published: string; readonly sha256: Sha256; readonly source: string },
): Promise<Taken> {
  const [image, bundle, key] = [path.join(out, 'artifact.tar'), path.join(out, 'bundle.sigstore.json'), path.join(out, 'key.pub')]
  await link(published, image)
  say("The service's key has to reach them by another way than what it signed, such as from whoever runs it:\n")
  say(`$ bitwitness key show > ${shown(key)}\n`)
  await writeFile(key, await commands.output(['key', 'show'], service.environment))
  const known = JSON.parse((await service.get(`v1/subjects/${sha256}`)).toString('utf8')) as Known
  // The artifact is known by each verification that built it; one of them reproduced what was claimed.
  const signed = known.items
    .map(({ verification }) => verification.attestations)
    .find((some) => some.some(({ predicateType }) => predicateType === PREDICATE_TYPE.reproduced))
  const bundles: string[] = []
  for (const [name, type] of [
    ['bundle', PREDICATE_TYPE.reproduced],
    ['provenance', PREDICATE_TYPE.provenance],
  ] as const) {
    const one = signed?.find(({ predicateType }) => predicateType === type)
    if (one === undefined) throw new DemoFailed(`the service has no statement of type ${type}`)
    const file = path.join(out, `${name}.sigstore.json`)
    say(`$ curl ${service.url}v1/blobs/${one.bundle} > ${shown(file)}`)
    await writeFile(file, await service.get(`v1/blobs/${one.bundle}`))
    bundles.push('--bundle', file)
  }
  say('')
  await commands.run(['attestation', 'verify', bundle, '--key', key, '--artifact', image], 0)
  say('\nThe image whose byte was flipped is another:\n')
  await commands.run(['attestation', 'verify', bundle, '--key', key, '--artifact', path.join(out, 'tampered.tar')], 1)
  say('\nAll that it takes to repeat this elsewhere, in one file:\n')
  const inputs = ['--lock', path.join(out, 'published', 'inputs.lock.json'), '--inputs', path.join(out, 'published', 'inputs.tar')]
  await commands.run(
    [
      'export',
      path.join(out, 'reproduced.report.json'),
      ...bundles,
      '--key',
      key,
      ...inputs,
      '--source',
      source,
      '--output',
      path.join(out, 'proof'),
    ],
    0,
  )
  const check = cosignCommand({
    bundle: shown(bundle),
    predicateType: PREDICATE_TYPE.reproduced,
    subject: parseSha256(await sha256Of(image)),
    signer: { kind: 'key', publicKey: shown(key), timestamped: false },
    trustedRoot: null,
  })
  return { bundle, key, check }
}
