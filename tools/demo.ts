import { copyFile, cp, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import path from 'node:path'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { cosignCommand } from '../src/app/cosign-command.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import { parseSha256, type Sha256 } from '../verifier/model/digest.ts'
import type { VerificationReport } from '../verifier/model/report.ts'
import { DemoCommands, say, shown, title } from './demo-commands.ts'
import { DemoFailed, flipByte, replaceIn, sha256Of } from './demo-files.ts'
import { DemoProcesses } from './demo-processes.ts'
import { DemoPublisher, DemoService } from './demo-service.ts'

/**
 * `node tools/demo.ts [FOLDER]`: the main job on real input. Builds the reference app as its publisher would, has a service rebuild it, and
 * then tries to pass off two other things for it. Exit code 0 only if every verdict is the true one.
 */
const root = path.join(import.meta.dirname, '..')
const out = path.resolve(process.argv[2] ?? path.join(root, 'demo-out'))
const app = path.join(root, 'mkosi', 'app')
const started = performance.now()
const published = path.join(out, 'published')
const tampered = path.join(out, 'tampered.tar')
const reportOf = (name: string): string => path.join(out, `${name}.report.json`)

process.exitCode = await demonstrate()

/** The exit code: 0, 1 where something is not as it should be, and as shells have it where somebody ended it. */
async function demonstrate(): Promise<number> {
  const processes = new DemoProcesses()
  try {
    await main(processes)
    return 0
  } catch (error) {
    console.error(`\ndemo: ${error instanceof DemoFailed ? error.message : String(error)}`)
    const { stoppedBy } = processes
    return stoppedBy === undefined ? 1 : 128 + constants.signals[stoppedBy]
  } finally {
    await processes[Symbol.asyncDispose]()
  }
}

async function main(processes: DemoProcesses): Promise<void> {
  const commands = new DemoCommands(processes)
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })

  title('1. The publisher builds the image, with the lock of every input')
  await commands.run(['build', app, '--attempts', '1', '--output', published], 0)
  const manifest = JSON.parse(await readFile(path.join(published, 'build-manifest.json'), 'utf8')) as BuildManifest
  const [artifact] = manifest.artifacts
  if (artifact?.file === undefined || artifact.file === null) throw new DemoFailed('the build left no artifact')
  const image = path.join(published, artifact.file)
  const claims = artifact.claims.flatMap((claim) => ['--claim', claim])
  await using publisher = await DemoPublisher.start({ 'image.tar': image, 'tampered.tar': tampered })

  title('2. Somebody else runs the service, on a free port')
  say('Its settings: BITWITNESS_LISTEN=127.0.0.1:0 for a free port, BITWITNESS_HOME for a database and a key of its own, and')
  say("BITWITNESS_SOURCES_ALLOW='plain-http private-hosts', since the publisher's web server of step 4 is on this machine.\n")
  say('$ bitwitness serve\n')
  await using service = await DemoService.start(processes, out, say)
  say('\nWho runs it gives the publisher a token, which is printed this once:\n\n$ bitwitness token create demo\n')
  const token = (await commands.output(['token', 'create', 'demo'], service.environment)).trim()
  say(`${token.slice(0, 6)}…  (not shown here; the publisher has it in BITWITNESS_TOKEN, and ${service.url} in BITWITNESS_SERVER)`)
  const submitter = { ...service.environment, BITWITNESS_SERVER: service.url, BITWITNESS_TOKEN: token }

  title('3. The publisher submits; the service rebuilds from source and lock, twice, compares, and signs')
  const lock = ['--lock', path.join(published, 'inputs.lock.json'), '--inputs', path.join(published, 'inputs.tar')]
  const good = await commands.submit(reportOf('reproduced'), [app, ...claims, ...lock], { expected: 0, submitter })
  expect(good.verdict === 'reproduced' && good.tier === 'bit-exact', 'the published image was not reproduced')
  say('\n=> reproduced: twice, from source and lock, the service built the very bytes that the publisher claims. Exit code 0.')

  // Two builds at once, as a machine with two cores runs them; what the second prints is held back until the first has ended.
  await copyFile(image, tampered)
  await flipByte(tampered, 'Deterministic build practice app')
  const changed = path.join(out, 'changed-recipe')
  await cp(app, changed, { recursive: true })
  await replaceIn(path.join(changed, 'mkosi.conf'), /^(\s*)curl$/m, '$1wget')
  const otherArgs = [changed, '--claim', `sha256:${artifact.sha256}`, '--claimed', `${publisher.url}image.tar`, '--attempts', '1']
  const heldBack = commands.submitMeanwhile(reportOf('changed-recipe'), otherArgs, submitter)

  title('4. One byte of one file is flipped in the published tar, and that is claimed')
  const flippedArgs = [
    app,
    '--claim',
    `sha256:${await sha256Of(tampered)}`,
    '--claimed',
    `${publisher.url}tampered.tar`,
    '--attempts',
    '1',
    ...lock,
  ]
  const flipped = await commands.submit(reportOf('tampered'), flippedArgs, { expected: 1, submitter })
  expect(flipped.verdict === 'mismatch' && mentions(flipped, 'opt/app/server.js'), 'the output does not name the file that was changed')
  say('\n=> not reproduced: the finding content-changed names the file whose byte was flipped, opt/app/server.js. Exit code 1.')

  title('5. One package of the recipe is changed, and the published image is claimed for it')
  const other = await heldBack.show(1)
  expect(
    other.verdict === 'mismatch' && mentions(other, 'wget') && mentions(other, 'curl'),
    'the output does not name the packages that differ',
  )
  say('\n=> not reproduced: the finding package-drift names the packages that differ, wget and curl among them. Exit code 1.')

  title('6. Anybody takes what was signed from the service, and checks it without asking anybody')
  const here = path.relative(process.cwd(), out) || '.'
  const check = await take(commands, service, { published: image, sha256: artifact.sha256 })

  await service[Symbol.asyncDispose]()
  const seconds = Math.round((performance.now() - started) / 1000)
  title(`Done in ${seconds} s. Every verdict was the true one.`)
  const layout = path.join(here, 'published', artifact.layout ?? '')
  say(`${here}/published         artifact, OCI layout, lock, inputs and build-manifest.json
${here}/*.report.json      the three reports
${here}/artifact.tar       the image that was reproduced, ${here}/bundle.sigstore.json what was signed of it, ${here}/key.pub by whom
${here}/proof              all that it takes to rebuild and check it on another machine, with no network
${here}/service.log        what the service wrote meanwhile

The service has ended. This starts it again, with all that it knows, and http://127.0.0.1:8080/docs is the page to open then:
  export PATH="$PWD/node_modules/.bin:$PATH"
  BITWITNESS_HOME=${DemoService.homeIn(out)} bitwitness serve

With cosign 3, and nothing of ours:
  ${check.join(' ')}

Try next:
  bitwitness doctor
  bitwitness recipe lint mkosi/app
  bitwitness explain ${here}/published/${artifact.file} ${here}/tampered.tar
  bitwitness verify --from ${here}/proof --key ${here}/key.pub
  bitwitness verify mkosi/app ${artifact.claims.map((claim) => `--claim ${claim}`).join(' ')}
  tar -C ${layout} -cf - . | docker load`)
}

type Known = { readonly items: readonly { readonly verification: { readonly attestations: readonly Signed[] } }[] }
type Signed = { readonly predicateType: string; readonly bundle: string }

/** Downloads what was signed of step 3 and verifies it; gives the words that cosign verifies it by. */
async function take(
  commands: DemoCommands,
  service: DemoService,
  { published, sha256 }: { readonly published: string; readonly sha256: Sha256 },
): Promise<readonly string[]> {
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
  await commands.run(['attestation', 'verify', bundle, '--key', key, '--artifact', tampered], 1)
  say('\nAll that it takes to repeat this elsewhere, in one file:\n')
  const inputs = ['--lock', path.join(out, 'published', 'inputs.lock.json'), '--inputs', path.join(out, 'published', 'inputs.tar')]
  await commands.run(
    ['export', reportOf('reproduced'), ...bundles, '--key', key, ...inputs, '--source', app, '--output', path.join(out, 'proof')],
    0,
  )
  return cosignCommand({
    bundle: shown(bundle),
    predicateType: PREDICATE_TYPE.reproduced,
    subject: parseSha256(await sha256Of(image)),
    signer: { kind: 'key', publicKey: shown(key), timestamped: false },
    trustedRoot: null,
  })
}

function mentions(report: VerificationReport, text: string): boolean {
  return report.findings.some((finding) => JSON.stringify(finding).includes(text))
}

function expect(held: boolean, otherwise: string): void {
  if (!held) throw new DemoFailed(otherwise)
}
