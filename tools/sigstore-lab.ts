import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Real Sigstore servers for the suite `lab`: BITWITNESS_LAB names a folder with `build-all.sh WORKDIR`, which leaves them in WORKDIR/bin, and
 * `stack.sh up|down BIN DIR`. They are built once and kept below .tools, until what they are built from changes.
 */
export type Lab = {
  /** Of the scripts. */
  readonly folder: string
  /** What is made here lies below it: `bin`, `build.log`, and the running stack's `stack`. */
  readonly state: string
}

const ROOT = path.join(import.meta.dirname, '..')

/** Why there is no lab: the reason of whatever is skipped for it. */
export const NO_LAB = 'BITWITNESS_LAB names no folder that has build-all.sh and stack.sh of real Sigstore servers'

/** Undefined where the environment names none. */
export function findLab(environment: NodeJS.ProcessEnv = process.env, state = path.join(ROOT, '.tools', 'lab')): Lab | undefined {
  const named = environment['BITWITNESS_LAB'] ?? ''
  if (named === '') return undefined
  const folder = path.resolve(ROOT, named)
  return ['build-all.sh', 'stack.sh'].every((script) => existsSync(path.join(folder, script))) ? { folder, state } : undefined
}

/** Whether the servers are there, made from what the folder holds now. */
export function isBuilt({ folder, state }: Lab): boolean {
  const mark = path.join(state, 'built')
  return existsSync(path.join(state, 'bin')) && existsSync(mark) && readFileSync(mark, 'utf8') === contentOf(folder)
}

/** Ends what `stack.sh up` started for this state and what still runs of it, also where whoever started it was killed. */
export function endStack({ folder, state }: Lab): void {
  if (!existsSync(path.join(state, 'stack'))) return
  spawnSync('bash', [path.join(folder, 'stack.sh'), 'down', path.join(state, 'bin'), path.join(state, 'stack')], { stdio: 'ignore' })
}

export type LabBuild = {
  /** Undefined once the servers are there, or why they are not; a build that takes longer than `ms` is ended. */
  readonly ready: (ms: number) => Promise<string | undefined>
  /** Ends the build with everything that it started. */
  readonly stop: () => void
}

/** Builds the servers where they are not there yet: beside other work, which goes before. */
export function buildLab(lab: Lab): LabBuild {
  if (isBuilt(lab)) return { ready: () => Promise.resolve(undefined), stop: () => {} }
  const { folder, state } = lab
  const [part, log] = [path.join(state, 'part'), path.join(state, 'build.log')]
  mkdirSync(state, { recursive: true })
  const output = openSync(log, 'w')
  // A process group of its own, to be ended as one. Of an earlier build that was ended nothing is taken.
  const script = 'rm -rf -- "$2" && exec bash "$1" "$2"'
  const child = spawn('nice', ['-n', '19', 'bash', '-c', script, 'bash', path.join(folder, 'build-all.sh'), part], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const where = path.relative(ROOT, log)
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', () => resolve('the build of the servers could not be started'))
    child.on('exit', (code) => {
      if (code === 0) void keep(lab, part).then(resolve)
      else resolve(`the servers could not be built (exit code ${code ?? 'none'}): see ${where}`)
    })
  })
  const stop = (): void => {
    try {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It is over already.
    }
  }
  return {
    stop,
    ready: async (ms) => {
      const late = new AbortController()
      const slow = `the servers were not built in time: see ${where}`
      const reason = await Promise.race([ended, delay(ms, slow, { signal: late.signal })])
      late.abort()
      stop()
      return reason
    },
  }
}

/** The mark comes last, so that half of a build counts for nothing. */
async function keep({ folder, state }: Lab, part: string): Promise<string | undefined> {
  try {
    const bin = path.join(state, 'bin')
    await rm(bin, { recursive: true, force: true })
    await mkdir(path.join(part, 'bin'), { recursive: true })
    await rename(path.join(part, 'bin'), bin)
    // Sources and a compiler of some gigabytes, which nothing needs any more.
    await rm(part, { recursive: true, force: true })
    await writeFile(path.join(state, 'built'), contentOf(folder))
    return undefined
  } catch {
    return 'the servers could not be kept below .tools'
  }
}

/** sha256 over what the servers are built from. */
function contentOf(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted())
    if (name === 'build-all.sh' || name.endsWith('.go'))
      hash
        .update(`${name}\0`)
        .update(readFileSync(path.join(folder, name)))
        .update('\0')
  return hash.digest('hex')
}
