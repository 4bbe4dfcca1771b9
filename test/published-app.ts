import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { makeRepository } from '../tools/demo-repository.ts'
import { BuildManifest } from '../verifier/model/build-manifest.ts'
import { runCli } from './cli-process.ts'
import { sharedSettings } from './shared-home.ts'

const app = path.join(import.meta.dirname, '..', 'mkosi', 'app')

/** The reference app as its publisher has it: source, image, lock and inputs. */
export type PublishedApp = {
  readonly source: string
  /** A repository of this machine that has it, and the commit. */
  readonly repository: string
  readonly commit: string
  readonly image: string
  readonly lock: string
  readonly inputs: string
  /** As `--claim` takes them. */
  readonly claims: readonly string[]
  readonly sha256: string
}

/** Builds the reference app into a folder that has to exist, with the mirrors and the builder of the shared home. */
export async function publishApp(folder: string): Promise<PublishedApp> {
  const output = path.join(folder, 'published')
  const { home, dockerHost } = await sharedSettings()
  const engine = dockerHost ?? ''
  const built = await runCli(['build', app, '--attempts', '1', '--output', output], { home, engine, seconds: 600 })
  if (built.code !== 0) throw new Error(`the reference app was not built:\n${built.stderr}`)
  const manifest = BuildManifest.parse(JSON.parse(await readFile(path.join(output, 'build-manifest.json'), 'utf8')))
  const [artifact] = manifest.artifacts
  if (artifact?.file === undefined || artifact.file === null) throw new Error('the build left no artifact')
  const repository = path.join(folder, 'app.git')
  const commit = await makeRepository(app, repository)
  return {
    source: app,
    repository,
    commit,
    image: path.join(output, artifact.file),
    lock: path.join(output, 'inputs.lock.json'),
    inputs: path.join(output, 'inputs.tar'),
    claims: artifact.claims,
    sha256: artifact.sha256,
  }
}
