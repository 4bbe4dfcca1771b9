import { spawn } from 'node:child_process'
import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import { type Credentials, password } from './docker-config.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const SECONDS = 30
const MAX_OUTPUT = 64 * 1024

const Answer = z.looseObject({ Username: z.string(), Secret: z.string() })

/** What the programs say, and Docker looks for, where they have nothing (github.com/docker/docker-credential-helpers). */
const NOTHING = /credentials not found in native keychain/

/**
 * Asks `docker-credential-NAME get` for a server's credentials: by name through PATH, without a shell, the server's name on its stdin. Null
 * where it has none. Rejects with `registry-credential-program`; nothing that the program wrote gets out of here but the credentials.
 */
export async function askCredentialProgram(o: { program: string; server: string; signal: AbortSignal }): Promise<Credentials | null> {
  if (!NAME.test(o.program)) throw failed('its name is none')
  const { code, stdout } = await run(`docker-credential-${o.program}`, `${o.server}\n`, o.signal)
  if (code !== 0) {
    if (NOTHING.test(stdout)) return null
    throw failed('it ended with an error')
  }
  try {
    const { Username, Secret } = Answer.parse(JSON.parse(stdout))
    return Username === '' && Secret === '' ? null : password(Username, Secret)
  } catch {
    throw failed('its answer cannot be read')
  }
}

type Ended = { readonly code: number | null; readonly stdout: string }

function run(file: string, input: string, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = spawn(file, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], shell: false })
    let stdout = ''
    let refusal: Failure | undefined
    const interrupt = (): void => {
      child.kill('SIGKILL')
      // A program that it started has the other end as well, and is not ended by that.
      child.stdout.destroy()
    }
    const end = (why: string): void => {
      refusal ??= failed(why)
      interrupt()
    }
    const late = setTimeout(() => end('it does not answer'), SECONDS * 1000)
    signal.addEventListener('abort', interrupt, { once: true })
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (part: string) => {
      stdout += part
      if (stdout.length > MAX_OUTPUT) end('it writes without end')
    })
    // A program that does not read what it is told ends all the same.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const over = (): void => {
      clearTimeout(late)
      signal.removeEventListener('abort', interrupt)
    }
    child.on('error', () => {
      over()
      reject(failed('it cannot be run'))
    })
    child.on('close', (code) => {
      over()
      if (signal.aborted) reject(signal.reason as Error)
      else if (refusal === undefined) resolve({ code, stdout })
      else reject(refusal)
    })
  })
}

function failed(why: string): Failure {
  return new Failure({
    code: 'registry-credential-program',
    message: `the program that Docker's config names for credentials does not do: ${why}`,
    hint: 'look at credsStore and credHelpers in config.json of the folder DOCKER_CONFIG',
  })
}
