import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { Failure } from '../model/failure.ts'
import { escapeBytes } from '../model/tree-manifest.ts'
import type { Bootstrap } from './image-bootstrap.ts'
import { readRoot } from './image-root.ts'

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const LONGEST_LINE = 4096

export type MmdebstrapRun = {
  readonly bootstrap: Bootstrap
  readonly mode: 'root' | 'unshare'
  /** Holds the files that the bootstrap names. */
  readonly directory: string
  /** The root's tar is written here. */
  readonly output: string
  readonly log: (line: string) => void
  readonly signal: AbortSignal | undefined
}

/** Throws `mmdebstrap-missing` where the host has none on `search`, in the form of PATH. */
export async function requireMmdebstrap(search: string = PATH): Promise<void> {
  const { failed, exitCode } = await execa('mmdebstrap', ['--version'], {
    reject: false,
    extendEnv: false,
    env: { PATH: search, LC_ALL: 'C.UTF-8' },
    stdin: 'ignore',
  })
  if (!failed && exitCode === 0) return
  throw new Failure({
    code: 'mmdebstrap-missing',
    message: 'this host has no mmdebstrap to make a builder with',
    hint: 'install the Debian package mmdebstrap, or import a builder that another host exported: bitwitness builder import FILE',
    audience: 'operator',
  })
}

/**
 * Runs mmdebstrap and yields the list of packages of the root that it wrote. Failures: `builder-bootstrap-failed` with its exit code;
 * what it said is in the log. Rejects with the signal's reason.
 */
export async function runMmdebstrap(run: MmdebstrapRun): Promise<Uint8Array> {
  const [program, ...before] = COMMAND[run.mode]
  const process = execa(program, [...before, ...run.bootstrap.arguments], {
    cwd: run.directory,
    extendEnv: false,
    env: { ...run.bootstrap.environment },
    stdin: 'ignore',
    encoding: 'buffer',
    buffer: false,
    reject: false,
    // As root its children are in a PID namespace that ends with it; otherwise it must be let to remove files of other owners.
    killSignal: run.mode === 'root' ? 'SIGKILL' : 'SIGTERM',
    forceKillAfterDelay: 10_000,
    ...(run.signal === undefined ? {} : { cancelSignal: run.signal }),
  })
  const root = readRoot(process.stdout)
  const written = pipeline(Readable.from(root.bytes, { objectMode: false }), createWriteStream(run.output, { flags: 'wx' }))
  // Looked at below, after the program's own end, which explains more.
  written.catch(() => process.kill())
  for await (const line of lines(process.stderr)) run.log(line)
  const { exitCode } = await process
  run.signal?.throwIfAborted()
  if (exitCode !== 0) {
    await written.catch(() => undefined)
    throw new Failure({
      code: 'builder-bootstrap-failed',
      message: 'mmdebstrap could not make the root of the builder',
      hint:
        run.mode === 'root'
          ? 'its last lines in the log say why; often a mirror lacks the suite, or the keyring of debian-archive-keyring is older than it'
          : 'its last lines in the log say why; without root it needs the package uidmap and a range for you in /etc/subuid and /etc/subgid',
      audience: 'operator',
      data: { exitCode: exitCode ?? null },
    })
  }
  await written
  return root.packages()
}

/**
 * As root, mmdebstrap mounts into its folder: in a mount namespace of its own nothing stays behind when it is killed, so that removing
 * the folder can never reach into the host's `/dev`.
 */
const COMMAND = {
  root: ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'mmdebstrap'],
  unshare: ['mmdebstrap'],
} as const

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk])
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      yield readable(rest.subarray(0, at))
      rest = rest.subarray(at + 1)
    }
    if (rest.length > LONGEST_LINE) {
      yield readable(rest)
      rest = Buffer.alloc(0)
    }
  }
  if (rest.length > 0) yield readable(rest)
}

/** Progress bars rewrite their line: the last writing counts. */
function readable(line: Uint8Array): string {
  const text = Buffer.from(line)
  const end = text.at(-1) === 13 ? text.length - 1 : text.length
  return escapeBytes(text.subarray(text.subarray(0, end).lastIndexOf(13) + 1, end)).slice(0, LONGEST_LINE)
}
