import { cp, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { readSettings } from '../../src/config/settings.ts'
import { Context } from '../../src/context.ts'
import { DockerEngine } from '../../verifier/builder/docker/engine.ts'
import type { Sha256 } from '../../verifier/model/digest.ts'
import { makeHomeLikeShared } from '../cli-process.ts'
import { root } from '../repository.ts'
import { type SecondEngine, startSecondEngine } from '../second-engine.ts'
import type { ActorOptions } from './actor.ts'
import { type Published, publishedOf } from './published.ts'
import type { Character, PlannedSubmission } from './submission-plan.ts'
import type { WorkerPlace, Workshop } from './workshop.ts'

/** Recipes of the corpus that are what a submission has to be, need no network and take seconds. */
const CASES: Readonly<Partial<Record<Character, readonly string[]>>> = {
  reproduced: ['tar-minimal', 'hard-links', 'setuid', 'sparse-file', 'umask-trap'],
  mismatch: ['tar-minimal', 'locale-sort'],
  nondeterministic: ['random-uuid', 'build-date'],
  'build-failed': ['build-exit-3'],
}
/** How often each is met, in proportion. */
export const REAL_CHARACTERS: Readonly<Partial<Record<Character, number>>> = {
  reproduced: 5,
  mismatch: 2,
  nondeterministic: 2,
  'build-failed': 1,
}
/** Of one attempt: more than one of these builds needs. */
const MEMORY = '1G'
/** A publisher’s, of one build: an engine that was killed takes a while to answer. */
const TRIES = 60
const AGAIN_MS = 2000

/** Real builds, of small recipes, on a Docker engine of the test's own, which may be killed. */
export class DockerWorkshop implements Workshop {
  readonly engine: SecondEngine
  readonly #folder: string

  private constructor(engine: SecondEngine, folder: string) {
    this.engine = engine
    this.#folder = folder
  }

  static async open(folder: string): Promise<DockerWorkshop> {
    const workshop = new DockerWorkshop(await startSecondEngine(), folder)
    await workshop.prepare(path.join(folder, 'home'))
    return workshop
  }

  async publish(planned: PlannedSubmission, callback: string): Promise<Published> {
    const { character, number } = planned
    const labels = CASES[character] ?? []
    const label = labels[number % labels.length]
    if (label === undefined) throw new Error(`no recipe is ${character}`)
    const source = path.join(this.#folder, `source-${number}`)
    await cp(path.join(root, 'mkosi/corpus/cases', label, 'recipe'), source, { recursive: true })
    // No two of them are the same.
    await writeFile(path.join(source, 'number'), `${number}\n`)
    const file = path.join(this.#folder, `source-${number}.tar`)
    await execa('tar', ['-C', source, '-cf', file, '.'])
    const built = character === 'reproduced' ? await this.#build(source) : undefined
    return publishedOf(planned, callback, { archive: await readFile(file), built, inputs: undefined })
  }

  async prepare(home: string): Promise<void> {
    await makeHomeLikeShared(home)
  }

  worker({ home, url }: WorkerPlace): Pick<ActorOptions, 'args' | 'environment' | 'isUp'> {
    const environment = { ...this.#environment(home), BITWITNESS_LOG_LEVEL: 'debug', BITWITNESS_GRACE: '60', BITWITNESS_MIN_FREE: '1M' }
    return {
      args: [path.join(root, 'src/bin/main.ts'), 'worker', '--coordinator', url.origin],
      environment,
      isUp: (line) => line.includes(url.origin),
    }
  }

  async left(homes: readonly string[]): Promise<readonly string[]> {
    const found: string[] = []
    for (const home of homes) {
      const id = (await readFile(path.join(home, 'id'), 'utf8')).trim()
      const { containers, volumes } = await new DockerEngine({ host: this.engine.host, home: id, owner: '' }).leftovers(() => false)
      found.push(...containers.map((one) => `a container: ${one}`), ...volumes.map((one) => `a volume: ${one}`))
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]()
  }

  #environment(home: string): Readonly<Record<string, string>> {
    return { BITWITNESS_HOME: home, DOCKER_HOST: this.engine.host, BITWITNESS_LIMIT_MEMORY: MEMORY }
  }

  /** As its publisher would; the engine may be killed meanwhile, which is nothing to a publisher who tries again. */
  async #build(source: string): Promise<Sha256> {
    const settings = readSettings(this.#environment(path.join(this.#folder, 'home')))
    const unlocked = { lock: null, inputs: null, builder: null, snapshot: null }
    const { signal } = new AbortController()
    for (let tries = 1; ; tries += 1) {
      await using context = await Context.open(settings)
      try {
        const { attempts } = await context.check({ source, attempts: 1, ...unlocked, signal, emit: () => {} })
        const built = attempts[0]?.artifacts[0]?.sha256
        if (built !== undefined) return built
      } catch (error) {
        if (tries === TRIES) throw error
      }
      if (tries === TRIES) throw new Error('what is to be claimed is not built')
      await delay(AGAIN_MS)
    }
  }
}
