import { stat } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../../../verifier/bytes/digest-of.ts'
import { BuildManifest } from '../../../verifier/model/build-manifest.ts'
import { encodeDocument } from '../../../verifier/model/document.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { type ImageReference, imageName } from '../../../verifier/model/image-reference.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import { type BuildFolder, readBuildFolder } from '../../app/build-folder.ts'
import { readComposeFile } from '../../app/compose/read-compose-file.ts'
import type { DeployInputs } from '../../app/deploy/deploy-state.ts'
import type { AppEnvironment } from '../../app/deploy/deploy-target.ts'
import { readEnvironmentFile } from '../../app/deploy/environment-file.ts'
import { loadPolicy } from '../../app/gate/load-policy.ts'
import type { LoadedPolicy } from '../../app/gate/read-policy.ts'
import { VMM_FORM } from '../../config/vmm-address.ts'
import type { DeployFlags } from '../commands/deploy.ts'

/** A folder that build wrote, and where its image goes. */
export type DeployBuild = { readonly built: BuildFolder; readonly to: ImageReference; readonly source: string }

/** All that a command line names, read before anything is done. */
export type DeployTask = {
  readonly flags: DeployFlags
  readonly policy: LoadedPolicy
  readonly build: DeployBuild | null
  /** As the file says it; null: the one that the push writes. */
  readonly appCompose: Uint8Array | null
  readonly environment: AppEnvironment | null
  readonly stateFile: string
  readonly inputs: DeployInputs
}

const STATE_FILE = 'deploy-state.json'

/** Fails with `deploy-nothing-given`, `deploy-option-missing`, `deploy-option-unfit`, `vmm-socket-absent`, and as reading policy, folder, app-compose and environment does. */
export async function readDeployTask(flags: DeployFlags, folder: string | null, signal: AbortSignal): Promise<DeployTask> {
  const { appCompose: file, envFile } = flags
  if (folder === null && file === undefined)
    throw new Failure({
      code: 'deploy-nothing-given',
      message: 'nothing says what to deploy',
      hint: 'give the folder that build wrote, or --app-compose FILE',
    })
  if (flags.target === 'dstack-vmm' && flags.vmm === undefined) throw missing('--vmm', 'where dstack-vmm listens', VMM_FORM)
  if (flags.target === 'phala-cloud' && (flags.vmm ?? flags.osImageHash) !== undefined) throw unfit()
  if (flags.vmm?.socketPath !== undefined) await requireSocket(flags.vmm.socketPath)
  const policy = await loadPolicy(flags.policy, signal)
  const build = folder === null ? null : await readBuild(flags, folder)
  const appCompose = file === undefined ? null : await readComposeFile(file, signal)
  const environment = envFile === undefined ? null : await readEnvironmentFile(envFile, signal)
  const stateFile = folder === null ? `${file ?? ''}.${STATE_FILE}` : path.join(folder, STATE_FILE)
  return { flags, policy, build, appCompose, environment, stateFile, inputs: inputsOf({ flags, policy, build, appCompose, environment }) }
}

async function readBuild({ to, source }: DeployFlags, folder: string): Promise<DeployBuild> {
  if (to === undefined) throw missing('--to', 'where the image is to be pushed', 'HOST/REPOSITORY:TAG')
  const built = await readBuildFolder(folder)
  const named = source ?? sourceIn(built.manifest)
  if (named === null)
    throw missing(
      '--source',
      'where the source of the build is, for the manifest names no repository',
      'the URL of a git repository with #REF',
    )
  return { built, to, source: named }
}

/** The source as submit takes it; null where only the publisher knows where it lies. */
function sourceIn({ source }: BuildManifest): string | null {
  if (source.kind !== 'git') return null
  return `${source.url}#${source.commit}${source.path === '.' ? '' : `:${source.path}`}`
}

type Read = Pick<DeployTask, 'flags' | 'policy' | 'build' | 'appCompose' | 'environment'>

/** Of what has a file, its digest; of environment, the names. */
function inputsOf({ flags, policy, build, appCompose, environment }: Read): DeployInputs {
  const {
    to,
    vmm,
    port,
    appCompose: _file,
    policy: _policy,
    bundle,
    trustedRoot,
    envFile: _env,
    json: _json,
    verbose: _,
    noWait: _wait,
    ...rest
  } = flags
  const said = {
    ...rest,
    policy: policy.sha256,
    build: build === null ? null : digestOf(encodeDocument(BuildManifest, build.built.manifest)),
    to: to === undefined ? null : `${imageName(to)}${to.tag === null ? '' : `:${to.tag}`}`,
    source: build?.source ?? null,
    'app-compose': appCompose === null ? null : digestOf(appCompose),
    bundle: bundle?.join(' '),
    'trusted-root': trustedRoot,
    vmm: vmm?.socketPath ?? vmm?.url.href,
    port: port === undefined ? null : `${port.port}${port.suffix}`,
    'env-file': environment?.map(({ name }) => name).join(' '),
  }
  const words = Object.entries(said).map(([name, value]) => [kebab(name), value == null || value === false ? '' : String(value)] as const)
  return Object.fromEntries(words.filter(([, value]) => value !== ''))
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** One that goes away later is waited for; one that was never there is a slip of the pen. */
async function requireSocket(file: string): Promise<void> {
  const there = await stat(file).then(
    (found) => found.isSocket(),
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
  if (there) return
  throw new Failure({
    code: 'vmm-socket-absent',
    message: `there is no socket at ${shownName(file)}`,
    hint: 'give the socket that dstack-vmm listens on, or start dstack-vmm; nothing was done',
  })
}

function unfit(): Failure {
  return new Failure({
    code: 'deploy-option-unfit',
    message: '--vmm and --os-image-hash are for dstack-vmm: Phala Cloud has an address of its own, and says the hash itself',
    hint: 'leave them away, or give --target dstack-vmm',
  })
}

function missing(flag: string, why: string, form: string): Failure {
  return new Failure({ code: 'deploy-option-missing', message: `${flag} is missing: it says ${why}`, hint: `give ${flag} ${form}` })
}
