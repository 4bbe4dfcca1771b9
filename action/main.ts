import { mkdir, mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import { type BuiltHere, buildHere, claimsOf } from './build-here.ts'
import { InputRefused, type Inputs, readInputs } from './inputs.ts'
import { type Described, describedBy, previousImage } from './previous.ts'
import { Program } from './program.ts'
import { type Claimed, type RebuiltThere, rebuildThere } from './rebuild-there.ts'
import { addSummary, setOutputs } from './runner-files.ts'
import { Service } from './service.ts'
import { type Summary, summaryLines } from './summary.ts'
import { errorCommand, maskCommand } from './workflow-commands.ts'

/** What the step does: build here, have it rebuilt there, compare with the release before, and say all of it. */
const log = (text: string): void => void process.stdout.write(text)

process.exitCode = await main().catch((error: unknown) => {
  log(errorCommand(error instanceof InputRefused ? error.message : 'the action failed; the log above says how far it came'))
  return 1
})

async function main(): Promise<number> {
  const inputs = readInputs(process.env)
  if (inputs.token !== null) log(maskCommand(inputs.token))
  const folder =
    inputs.output === null ? await mkdtemp(path.join(inputs.temporary, 'bitwitness-')) : path.resolve(inputs.workspace, inputs.output)
  await mkdir(folder, { recursive: true })
  const program = new Program(inputs.program, process.env, log)
  const service = inputs.server === null ? null : new Service(inputs.server)
  // Before anything is submitted: the newest verification is then the one of the release before.
  const previous = await previousImage(inputs, { service, folder })
  const built = inputs.claims.length > 0 ? null : await buildHere(program, inputs, path.join(folder, 'image'))
  const claimed = claimedOf(inputs, built)
  const failed = built !== null && built.exit !== 0
  const rebuilt = service === null || failed ? null : await rebuildThere(program, { inputs, claimed, service, folder })
  const changes = await changesOf(program, { previous, built, rebuilt, service, folder })
  const verification = rebuilt?.submission?.verification.id
  const links =
    service === null || verification === undefined
      ? null
      : { verification: service.url(`v1/verifications/${encodeURIComponent(verification)}`).href }
  await addSummary(inputs.files.summary, summaryLines({ recipe: inputs.recipe, built, rebuilt, links, changes }))
  await setOutputs(inputs.files.output, outputsOf(inputs, { built, rebuilt, links }))
  return ending(inputs, { built, rebuilt })
}

function claimedOf(inputs: Inputs, built: BuiltHere | null): Claimed {
  if (built?.manifest === null || built === null)
    return { claims: inputs.claims, lock: inputs.lock === null ? null : path.resolve(inputs.workspace, inputs.lock), inputs: null }
  const { lock } = built.manifest
  return {
    claims: claimsOf(built.manifest),
    lock: lock === null ? null : path.join(built.folder, lock.file),
    inputs: lock === null || !inputs.sendInputs ? null : path.join(built.folder, lock.inputs),
  }
}

async function changesOf(
  program: Program,
  o: {
    readonly previous: Described
    readonly built: BuiltHere | null
    readonly rebuilt: RebuiltThere | null
    readonly service: Service | null
    readonly folder: string
  },
): Promise<Summary['changes']> {
  const [older, ...olderMore] = o.previous.files
  if (older === undefined) return { why: o.previous.why ?? 'there is nothing to compare with' }
  const [newer, ...newerMore] = await newerFiles(o)
  if (newer === undefined) return { why: 'there is no image to compare' }
  const more = [...olderMore.flatMap((file) => ['--older', file]), ...newerMore.flatMap((file) => ['--newer', file])]
  const { exit, stdout } = await program.run(['changes', '--markdown', ...more, '--', older, newer], { cwd: o.folder })
  return exit === 2 || stdout === '' ? { why: 'the two could not be compared; the log says why' } : stdout.trimEnd().split('\n')
}

/** The image that was built here, or what the service says of the one that it built. */
async function newerFiles({ built, rebuilt, service, folder }: Parameters<typeof changesOf>[1]): Promise<readonly string[]> {
  if (built !== null) return built.exit === 0 ? [built.folder] : []
  const report = rebuilt?.submission?.report ?? null
  return report === null || service === null ? [] : (await describedBy(service, { report, name: 'rebuilt', folder })).files
}

type Done = { readonly built: BuiltHere | null; readonly rebuilt: RebuiltThere | null }

function outputsOf(inputs: Inputs, { built, rebuilt, links }: Done & Pick<Summary, 'links'>): Record<string, string> {
  const { claims } = claimedOf(inputs, built)
  const verdict = rebuilt === null ? built?.manifest?.verdict : rebuilt.submission?.verdict
  const saying = rebuilt?.bundles.find(({ predicateType }) => /^bitwitness:(reproduced|rebuild-result)\//.test(predicateType))
  return {
    verdict: verdict ?? '',
    tier: rebuilt?.submission?.tier ?? '',
    digest: claims.map((claim) => claim.replace(/^file=/, '')).find((claim) => claim.startsWith('sha256:')) ?? '',
    'image-digest': claims.find((claim) => claim.startsWith('oci-manifest='))?.replace('oci-manifest=', '') ?? '',
    verification: links?.verification ?? '',
    bundle: saying?.file ?? '',
    sbom: built?.sbom?.file ?? '',
    image: built?.exit === 0 ? built.folder : '',
  }
}

/** The program's own exit code says it: 0 only for yes. */
function ending({ fail }: Inputs, { built, rebuilt }: Done): number {
  const exit = rebuilt?.exit ?? built?.exit ?? 1
  const verdict = rebuilt?.submission?.verdict ?? built?.manifest?.verdict ?? 'no verdict'
  if (exit !== 0) log(errorCommand(rebuilt === null ? `not built: ${verdict}` : `not reproduced: ${verdict}`))
  return fail ? exit : 0
}
