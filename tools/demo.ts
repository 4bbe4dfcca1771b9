import { copyFile, cp, mkdir, readFile, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import path from 'node:path'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import type { VerificationReport } from '../verifier/model/report.ts'
import { DemoCommands, say, title } from './demo-commands.ts'
import { demonstrateDeployment } from './demo-deploy.ts'
import { DemoFailed, flipByte, replaceIn, sha256Of } from './demo-files.ts'
import { demonstrateGate } from './demo-gate.ts'
import { DemoProcesses } from './demo-processes.ts'
import { makeRepository } from './demo-repository.ts'
import { DemoPublisher, DemoService } from './demo-service.ts'
import { takeSigned } from './demo-signed.ts'

/**
 * `node tools/demo.ts [FOLDER]`: the main job on real input. Builds the reference app as its publisher would, has a service rebuild it, and
 * then tries to pass off two other things for it, and asks the gate about it. Exit code 0 only if every answer is the true one.
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
  say("BITWITNESS_SOURCES_ALLOW='local-repositories plain-http private-hosts', since the publisher's repository and web server are on this")
  say('machine, and BITWITNESS_POLICIES, a folder for the policies of step 7.\n')
  say('$ bitwitness serve\n')
  await using service = await DemoService.start(processes, out, say)
  say('\nWho runs it gives the publisher a token, which is printed this once:\n\n$ bitwitness token create demo\n')
  const token = (await commands.output(['token', 'create', 'demo'], service.environment)).trim()
  say(`${token.slice(0, 6)}…  (not shown here; the publisher has it in BITWITNESS_TOKEN, and ${service.url} in BITWITNESS_SERVER)`)
  const submitter = { ...service.environment, BITWITNESS_SERVER: service.url, BITWITNESS_TOKEN: token }

  title('3. The publisher submits; the service rebuilds from source and lock, twice, compares, and signs')
  const repository = path.join(out, 'app.git')
  const source = `git+file://${repository}#${await makeRepository(app, repository)}`
  say("Its source is a commit of a repository of the publisher's: what is to start later must have come from one.\n")
  const lock = ['--lock', path.join(published, 'inputs.lock.json'), '--inputs', path.join(published, 'inputs.tar')]
  const good = await commands.submit(reportOf('reproduced'), [source, ...claims, ...lock], { expected: 0, submitter })
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
  const { bundle, key, check } = await takeSigned(commands, service, { out, published: image, sha256: artifact.sha256, source: app })
  if (artifact.oci === null) throw new DemoFailed('the build left no image')
  const reproduced = { commands, out, report: good, manifest: artifact.oci.manifest, bundle, key, policies: DemoService.policiesIn(out) }
  await demonstrateDeployment(reproduced, await demonstrateGate(reproduced), service)

  await service[Symbol.asyncDispose]()
  const seconds = Math.round((performance.now() - started) / 1000)
  title(`Done in ${seconds} s. Every answer was the true one.`)
  const layout = path.join(here, 'published', artifact.layout ?? '')
  say(`${here}/published         artifact, OCI layout, lock, inputs and build-manifest.json
${here}/*.report.json      the three reports
${here}/artifact.tar       the image that was reproduced, ${here}/bundle.sigstore.json what was signed of it, ${here}/key.pub by whom
${here}/proof              all that it takes to rebuild and check it on another machine, with no network
${here}/app.git            the repository that the policy names, ${here}/policies/demo.yaml the policy
${here}/deployment         the app-compose that the gate allowed, and how its deployment went; ${here}/tampered-deployment the one that it denied
${here}/simulated          the keys and measurements that stood in for a TEE, by which inspect said simulated
${here}/service.log        what the service wrote meanwhile

The service has ended. This starts it again, with all that it knows, and http://127.0.0.1:8080/docs is the page to open then:
  export PATH="$PWD/node_modules/.bin:$PATH"
  BITWITNESS_HOME=${DemoService.homeIn(out)} BITWITNESS_POLICIES=${DemoService.policiesIn(out)} bitwitness serve

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

function mentions(report: VerificationReport, text: string): boolean {
  return report.findings.some((finding) => JSON.stringify(finding).includes(text))
}

function expect(held: boolean, otherwise: string): void {
  if (!held) throw new DemoFailed(otherwise)
}
