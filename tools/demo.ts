import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, cp, link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import { cosignCommand } from '../src/app/cosign-command.ts'
import type { BuildManifest } from '../verifier/model/build-manifest.ts'
import { parseSha256 } from '../verifier/model/digest.ts'
import type { VerificationReport } from '../verifier/model/report.ts'

/**
 * `node tools/demo.ts [FOLDER]`: the main job on real input. Builds the reference app as its publisher would, rebuilds it as a verifier
 * would, and then tries to pass off two other things for it. Exit code 0 only if every verdict is the true one.
 */
const root = path.join(import.meta.dirname, '..')
const out = path.resolve(process.argv[2] ?? path.join(root, 'demo-out'))
const app = path.join(root, 'mkosi', 'app')
const launcher = path.join(root, 'src', 'bin', 'bitwitness.js')
const started = performance.now()

process.exitCode = await main().catch((error: unknown) => {
  console.error(`\ndemo: ${error instanceof DemoFailed ? error.message : String(error)}`)
  return 1
})

class DemoFailed extends Error {}

async function main(): Promise<number> {
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })

  title('1. The publisher builds the image, with the lock of every input')
  const published = path.join(out, 'published')
  await bitwitness(['build', app, '--attempts', '1', '--output', published], 0)
  const manifest = JSON.parse(await readFile(path.join(published, 'build-manifest.json'), 'utf8')) as BuildManifest
  const [artifact] = manifest.artifacts
  if (artifact?.file === undefined || artifact.file === null) throw new DemoFailed('the build left no artifact')
  const claims = artifact.claims.flatMap((claim) => ['--claim', claim])

  title('2. A verifier rebuilds it from source and lock, twice, and compares')
  const lock = ['--lock', path.join(published, 'inputs.lock.json'), '--inputs', path.join(published, 'inputs.tar')]
  const good = await verify('reproduced', [app, ...claims, ...lock], 0)
  expect(good.verdict === 'reproduced' && good.tier === 'bit-exact', 'the published image was not reproduced')

  // Two builds at once, as a machine with two cores runs them; what the second prints is held back until the first has ended.
  const tampered = path.join(out, 'tampered.tar')
  await copyFile(path.join(published, artifact.file), tampered)
  await flipByte(tampered, 'Deterministic build practice app')
  const changed = path.join(out, 'changed-recipe')
  await cp(app, changed, { recursive: true })
  await replaceIn(path.join(changed, 'mkosi.conf'), /^(\s*)curl$/m, '$1wget')
  const otherArgs = [changed, '--claim', `sha256:${artifact.sha256}`, '--claimed', path.join(published, artifact.file), '--attempts', '1']
  const heldBack = verifyMeanwhile('changed-recipe', otherArgs)

  title('3. One byte of one file is flipped in the published tar, and that is claimed')
  const flippedArgs = [app, '--claim', `sha256:${await sha256Of(tampered)}`, '--claimed', tampered, '--attempts', '1', ...lock]
  const flipped = await verify('tampered', flippedArgs, 1)
  expect(flipped.verdict === 'mismatch' && mentions(flipped, 'opt/app/server.js'), 'the output does not name the file that was changed')

  title('4. One package of the recipe is changed, and the published image is claimed for it')
  const other = await heldBack.show(1)
  expect(
    other.verdict === 'mismatch' && mentions(other, 'wget') && mentions(other, 'curl'),
    'the output does not name the packages that differ',
  )

  title('5. The verifier signs what was reproduced, and anybody checks it')
  const here = path.relative(process.cwd(), out) || '.'
  const check = await sign(artifact.file)

  const seconds = Math.round((performance.now() - started) / 1000)
  title(`Done in ${seconds} s. Every verdict was the true one.`)
  const layout = path.join(here, 'published', artifact.layout ?? '')
  say(`${here}/published         artifact, OCI layout, lock, inputs and build-manifest.json
${here}/*.report.json      the three reports
${here}/artifact.tar       the image that was reproduced, ${here}/bundle.sigstore.json what was signed of it, ${here}/key.pub by whom
${here}/proof              all that it takes to rebuild and check it on another machine, with no network

With cosign 3, and nothing of ours:
  ${check.join(' ')}

Try next:
  npx bitwitness doctor
  npx bitwitness recipe lint mkosi/app
  npx bitwitness explain ${here}/published/${artifact.file} ${here}/tampered.tar
  npx bitwitness verify --from ${here}/proof --key ${here}/key.pub
  npx bitwitness verify mkosi/app ${artifact.claims.map((claim) => `--claim ${claim}`).join(' ')}
  tar -C ${layout} -cf - . | docker load`)
  return 0
}

/** Signs the verdict of step 2 and verifies it; gives the words that cosign verifies it by. */
async function sign(published: string): Promise<readonly string[]> {
  const attested = path.join(out, 'attested')
  const lock = path.join(out, 'published', 'inputs.lock.json')
  await bitwitness(['attest', path.join(out, 'reproduced.report.json'), '--lock', lock, '--output', attested], 0)
  const [image, bundle, key] = [path.join(out, 'artifact.tar'), path.join(out, 'bundle.sigstore.json'), path.join(out, 'key.pub')]
  await link(path.join(out, 'published', published), image)
  await copyFile(path.join(attested, 'reproduced.sigstore.json'), bundle)
  await copyFile(path.join(attested, 'key.pub'), key)
  say('')
  await bitwitness(['attestation', 'verify', bundle, '--key', key, '--artifact', image], 0)
  say('\nThe image whose byte was flipped is another:\n')
  await bitwitness(['attestation', 'verify', bundle, '--key', key, '--artifact', path.join(out, 'tampered.tar')], 1)
  say('\nAll that it takes to repeat this elsewhere, in one file:\n')
  const bundles = ['reproduced', 'provenance'].flatMap((name) => ['--bundle', path.join(attested, `${name}.sigstore.json`)])
  const carried = ['--key', key, '--lock', lock, '--source', app, '--inputs', path.join(out, 'published', 'inputs.tar')]
  await bitwitness(['export', path.join(out, 'reproduced.report.json'), ...bundles, ...carried, '--output', path.join(out, 'proof')], 0)
  return cosignCommand({
    bundle: shown(bundle),
    predicateType: PREDICATE_TYPE.reproduced,
    subject: parseSha256(await sha256Of(image)),
    signer: { kind: 'key', publicKey: shown(key), timestamped: false },
    trustedRoot: null,
  })
}

/** Runs the command line as a user would, with its output on this terminal. */
async function bitwitness(args: readonly string[], expected: number): Promise<void> {
  say(`$ bitwitness ${args.map(shown).join(' ')}\n`)
  const code = await run(args)
  if (code !== expected) throw new DemoFailed(`bitwitness ended with exit code ${code}, not ${expected}`)
}

/** An argument as one would type it. */
function shown(argument: string): string {
  return path.isAbsolute(argument) ? path.relative(process.cwd(), argument) || '.' : argument
}

/** Verifies for people and for machines: the report is printed, and kept as JSON. */
async function verify(name: string, args: readonly string[], expected: number): Promise<VerificationReport> {
  const file = path.join(out, `${name}.report.json`)
  await bitwitness(['verify', ...args, '--report', file], expected)
  return JSON.parse(await readFile(file, 'utf8')) as VerificationReport
}

/** Starts a verification and prints nothing of it until it is shown. Ends by Ctrl-C as the rest does: it is in this terminal's group. */
function verifyMeanwhile(name: string, args: readonly string[]): { show: (expected: number) => Promise<VerificationReport> } {
  const file = path.join(out, `${name}.report.json`)
  const words = ['verify', ...args, '--report', file]
  const child = spawn(process.execPath, [launcher, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => printed.push(part))
  const code = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null))
    child.on('close', resolve)
  })
  return {
    async show(expected) {
      say(`$ bitwitness ${words.map(shown).join(' ')}\n`)
      const ended = await code
      process.stdout.write(Buffer.concat(printed))
      if (ended !== expected) throw new DemoFailed(`bitwitness ended with exit code ${ended}, not ${expected}`)
      return JSON.parse(await readFile(file, 'utf8')) as VerificationReport
    },
  }
}

function run(args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}

function mentions(report: VerificationReport, text: string): boolean {
  return report.findings.some((finding) => JSON.stringify(finding).includes(text))
}

async function flipByte(file: string, within: string): Promise<void> {
  const at = await find(file, Buffer.from(within))
  await using handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  await handle.read(byte, 0, 1, at)
  byte.writeUInt8(byte.readUInt8(0) ^ 0x20, 0)
  await handle.write(byte, 0, 1, at)
}

async function find(file: string, text: Buffer): Promise<number> {
  let before = Buffer.alloc(0)
  let offset = 0
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) {
    const window = Buffer.concat([before, part as Buffer])
    const at = window.indexOf(text)
    if (at >= 0) return offset - before.length + at
    offset += (part as Buffer).length
    before = window.subarray(-text.length)
  }
  throw new DemoFailed(`the artifact of ${(await stat(file)).size} bytes does not hold the text to change`)
}

async function replaceIn(file: string, pattern: RegExp, replacement: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  const after = before.replace(pattern, replacement)
  expect(after !== before, 'the recipe does not name the package to change')
  await writeFile(file, after)
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  return hash.digest('hex')
}

function expect(held: boolean, otherwise: string): void {
  if (!held) throw new DemoFailed(otherwise)
}

function title(text: string): void {
  console.log(`\n== ${text}\n`)
}

function say(text: string): void {
  console.log(text)
}
