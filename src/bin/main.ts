import { EXIT } from '../cli/exit-code.ts'
import {
  openClientOf,
  openDeployingTo,
  openInspecting,
  openOperatorOf,
  openRegistries,
  openScratch,
  openServiceOf,
  openSigning,
  openUseCases,
  openVerifying,
  openWorkerOf,
  readReading,
  workerKeyOf,
} from '../cli/open-use-cases.ts'
import { runCli } from '../cli/run.ts'
import { watchOutput } from './output-watch.ts'
import { abortOnSignals } from './signals.ts'

// Those say themselves what becomes of them, the first two in a log.
const stop = abortOnSignals(process, { quiet: ['serve', 'worker', 'submit', 'deploy'].includes(process.argv[2] ?? '') })
const output = watchOutput(process)

const debug = process.env['BITWITNESS_DEBUG'] === '1'

const code = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  interactive: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
  terminal: process.stdout.isTTY,
  color: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
  columns: process.stderr.columns ?? 80,
  signal: stop.signal,
  clock: () => performance.now(),
  debug,
  version: async () => (await import('../config/package-root.ts')).findPackage().version,
  open: () => openUseCases(process.env),
  reading: () => readReading(process.env),
  scratch: openScratch,
  signing: (o) => openSigning(process.env, o),
  verifying: () => openVerifying(process.env),
  inspecting: (o) => openInspecting(process.env, o, stop.signal),
  registry: () => openRegistries(process.env),
  client: (o) => openClientOf(process.env, o),
  deploying: (choice) => openDeployingTo(process.env, choice, stop.signal),
  service: (o) => openServiceOf(process.env, { ...o, log: (line) => process.stderr.write(line), debug }),
  worker: (o) => openWorkerOf(process.env, { ...o, log: (line) => process.stderr.write(line) }),
  operator: () => openOperatorOf(process.env),
  workerKey: () => workerKeyOf(process.env),
})
process.exitCode = output.lost() ? EXIT.unknown : code
stop.release()
