import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { askCredentialProgram } from './credential-program.ts'
import { never } from './testing/open.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-credential-program-'))
  vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function program(name: string, script: string): Promise<void> {
  const file = path.join(folder, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

const ask = (name: string, signal = never) => askCredentialProgram({ program: name, server: 'https://index.docker.io/v1/', signal })

describe('a program that has credentials', () => {
  it('is asked for the server by its stdin, and gives name and password', async () => {
    await program(
      'good',
      `cat > ${folder}/asked; echo "$@" > ${folder}/arguments; echo '{"ServerURL":"x","Username":"somebody","Secret":"s3"}'`,
    )
    const found = await ask('good')
    expect([found?.kind, found?.kind === 'password' && [found.username, found.password.reveal()]]).toEqual(['password', ['somebody', 's3']])
    expect(await readFile(path.join(folder, 'asked'), 'utf8')).toBe('https://index.docker.io/v1/\n')
    expect(await readFile(path.join(folder, 'arguments'), 'utf8')).toBe('get\n')
  })

  it('gives an identity token where it says so', async () => {
    await program('token', `echo '{"Username":"<token>","Secret":"t"}'`)
    const found = await ask('token')
    expect(found?.kind === 'identity-token' && found.token.reveal()).toBe('t')
  })

  it('may have none', async () => {
    await program('empty', 'echo "credentials not found in native keychain"; exit 1')
    expect(await ask('empty')).toBeNull()
  })

  it.each([
    ['an error', 'echo "planted-secret: no such thing" ; echo planted-secret >&2; exit 3'],
    ['no answer', 'exit 0'],
    ['another answer', `echo '{"Secret":"planted-secret"}'`],
    ['an endless answer', 'while :; do echo planted-secret-planted-secret-planted-secret; done'],
  ])('with %s is no reason to say what it wrote', async (_, script) => {
    await program('bad', script)
    const error: unknown = await ask('bad').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'registry-credential-program' })
    expect(inspect(error, { depth: 10 })).not.toContain('planted')
  })

  it('is not looked for where its name is none, or where it is not', async () => {
    for (const name of ['../evil', 'a/b', 'a b', '', '-x', 'a;touch x', '$(id)', 'a\nb', 'x'.repeat(65), 'absent'])
      await expect(ask(name)).rejects.toMatchObject({ code: 'registry-credential-program' })
  })

  it('is ended by an interruption', async () => {
    await program('slow', 'exec sleep 600')
    const stop = new AbortController()
    const asked = ask('slow', stop.signal)
    stop.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('is ended by an interruption, whatever it started', async () => {
    const started = path.join(folder, 'started')
    execFileSync('mkfifo', [started])
    await program('parent', `sleep 30 & echo x > ${started}; wait`)
    const stop = new AbortController()
    const asked = ask('parent', stop.signal)
    await readFile(started)
    stop.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
  })
})
