import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import { setOutputs } from './runner-files.ts'
import { errorCommand } from './workflow-commands.ts'

/**
 * Brings the program: the package that the input `bitwitness` names, or that of the checkout which this action is part of, so that the
 * revision which a workflow pins the action to is the revision of the program. Writes the output `program`, the path of its launcher.
 */
const LAUNCHER = 'src/bin/bitwitness.js'
const { INPUT_BITWITNESS: given = '', GITHUB_OUTPUT: output = '', RUNNER_TEMP: temporary = '' } = process.env

process.exitCode = await main().catch(() => {
  process.stdout.write(errorCommand('bitwitness could not be installed; the log above says what npm said'))
  return 1
})

async function main(): Promise<number> {
  const program = given.trim() === '' ? await ofCheckout() : await ofPackage(given.trim())
  await access(program)
  await setOutputs(output, { program })
  return 0
}

async function ofCheckout(): Promise<string> {
  const root = path.join(import.meta.dirname, '..')
  // Its `prepare` compiles it.
  await npm(['ci', '--no-audit', '--no-fund'], root)
  return path.join(root, LAUNCHER)
}

async function ofPackage(spec: string): Promise<string> {
  // A name alone would be whatever somebody put under it: there is no package of ours in a registry.
  if (!/^(?:https:\/\/|\.{0,2}\/|[^/@:]+\.tgz$)/.test(spec)) {
    process.stdout.write(errorCommand('bitwitness: give the path or the https URL of a tarball that npm pack made'))
    return await Promise.reject(new Error('no tarball'))
  }
  const folder = await mkdtemp(path.join(temporary, 'bitwitness-program-'))
  await npm(['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', '--', spec], process.cwd())
  return path.join(folder, 'node_modules', 'bitwitness', LAUNCHER)
}

async function npm(args: readonly string[], cwd: string): Promise<void> {
  const child = spawn('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error('npm failed')
}
