import { z } from 'zod'
import type { EngineFacts, Leftovers } from '../../verifier/builder/docker/engine.ts'
import type { Sandbox } from '../../verifier/builder/sandbox.ts'
import { Failure } from '../../verifier/model/failure.ts'

export const DOCTOR_REPORT_SCHEMA = 'bitwitness/doctor-report/v1'

const Check = z.strictObject({
  /** Stable, listed in docs/doctor.md. */
  id: z.string(),
  state: z.enum(['pass', 'warn', 'fail', 'skip']),
  message: z.string(),
  remedy: z.string().nullable(),
})
export type Check = z.infer<typeof Check>

/** Whether this machine can rebuild, and what to do where it cannot. */
export const DoctorReport = z.strictObject({
  schema: z.literal(DOCTOR_REPORT_SCHEMA),
  verdict: z.enum(['ready', 'not-ready']),
  checks: z.array(Check),
})
export type DoctorReport = z.infer<typeof DoctorReport>

export type MirrorProbe = { readonly archive: string; readonly reached: boolean; readonly skewSeconds: number | null }

export type DoctorPorts = {
  readonly facts: () => Promise<EngineFacts>
  readonly leftovers: () => Promise<Leftovers & { /** How many. */ readonly folders: number }>
  readonly mirrors: () => Promise<readonly MirrorProbe[]>
  readonly programs: (names: readonly string[]) => Promise<readonly string[]>
  /** Whether this user can map a range of ids; root needs none. */
  readonly idRange: () => Promise<'root' | 'there' | 'missing'>
  /** Bytes free where the home lies. */
  readonly freeBytes: () => Promise<number>
  /** A sandbox on the default builder, or null where none was made yet. */
  readonly sandbox: () => Promise<Sandbox | null>
  readonly needs: {
    readonly memoryBytes: number
    readonly diskBytes: number
    readonly workspace: 'auto' | 'tmpfs' | 'volume'
    readonly apparmor: string
  }
  readonly signal: AbortSignal
}

export async function doctor(ports: DoctorPorts): Promise<DoctorReport> {
  const probes = await ports.mirrors()
  const checks: Check[] = [...(await engineChecks(ports)), mirrorCheck(probes), clockCheck(probes), ...(await machineChecks(ports))]
  return { schema: DOCTOR_REPORT_SCHEMA, verdict: checks.some(({ state }) => state === 'fail') ? 'not-ready' : 'ready', checks }
}

async function engineChecks(ports: DoctorPorts): Promise<Check[]> {
  let facts: EngineFacts
  try {
    facts = await ports.facts()
  } catch (error) {
    const remedy = 'install docker.io and start dockerd, or set DOCKER_HOST to an engine that runs'
    return [fail('engine', error instanceof Failure ? error.message : 'the Docker engine does not answer', remedy)]
  }
  // Before the sandbox is tried: whatever starts a container sweeps first.
  const leftovers = await leftoversCheck(ports)
  const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return [
    pass('engine', `Docker ${facts.version} on ${facts.architecture}, kernel ${facts.kernel}, cgroup v${facts.cgroupVersion}`),
    facts.seccomp
      ? pass('seccomp', 'the engine filters system calls')
      : fail('seccomp', 'the engine has no seccomp', 'use an engine and a kernel with seccomp: without it a build could call anything'),
    facts.apparmor
      ? pass('apparmor', `the engine enforces AppArmor; builds run under the profile ${ports.needs.apparmor}`)
      : warn(
          'apparmor',
          'the engine enforces no AppArmor: reports say apparmor absent',
          'on a host with AppArmor load mkosi/builder/apparmor.profile with apparmor_parser --replace',
        ),
    facts.rootless
      ? fail(
          'rootful',
          'a rootless engine cannot map the range of user ids that mkosi needs',
          'use an engine that runs as root; builds themselves never do',
        )
      : pass('rootful', 'builds get a full range of user ids in a user namespace of their own'),
    facts.memoryBytes >= ports.needs.memoryBytes
      ? pass('memory', `${gib(facts.memoryBytes)} for builds of up to ${gib(ports.needs.memoryBytes)}`)
      : fail('memory', `${gib(facts.memoryBytes)}, and a build may take ${gib(ports.needs.memoryBytes)}`, 'lower BITWITNESS_LIMIT_MEMORY'),
    await sandboxCheck(ports),
    leftovers,
  ]
}

async function sandboxCheck(ports: DoctorPorts): Promise<Check> {
  const sandbox = await ports.sandbox()
  if (sandbox === null) return skip('sandbox', 'no builder image yet, so that the sandbox was not tried', 'run bitwitness builder build')
  const probe = ['python3', '-c', 'open("/proc/self/uid_map").read().split()[2] or exit(1)']
  try {
    const end = await sandbox.run(
      { command: probe, summary: ['true'], environment: { PATH: '/usr/bin:/usr/sbin' }, sandboxTree: [] },
      {
        source: async function* () {
          yield new Uint8Array(10_240)
        },
        accept: (connection) => connection.destroy(),
        output: async (_entry, bytes) => {
          for await (const _ of bytes);
        },
        summary: () => {},
        log: () => {},
        stage: () => {},
        signal: ports.signal,
      },
    )
    if (end.kind === 'finished' && end.exit === 0)
      return pass('sandbox', 'a container with a user namespace of its own runs a job and hands it back')
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
  return fail(
    'sandbox',
    'a container could not make a user namespace with a full range of ids',
    'allow user namespaces: sysctl user.max_user_namespaces=15000, and kernel.apparmor_restrict_unprivileged_userns=0 where it exists',
  )
}

async function leftoversCheck(ports: DoctorPorts): Promise<Check> {
  const { containers, volumes, folders } = await ports.leftovers()
  const count = containers.length + volumes.length + folders
  return count === 0
    ? pass('leftovers', 'nothing is left over from a run that was killed')
    : warn(
        'leftovers',
        `${containers.length} containers, ${volumes.length} volumes and ${folders} folders of runs that were killed`,
        'nothing to do: they are removed before anything is built',
      )
}

function mirrorCheck(probes: readonly MirrorProbe[]): Check {
  const dead = probes.filter(({ reached }) => !reached).map(({ archive }) => archive)
  const remedy = "set BITWITNESS_MIRRORS, such as 'debian=URL debian-security=URL'; without a mirror only replays work"
  if (probes.length === 0) return fail('mirror', 'no mirror is known, neither from settings nor from apt', remedy)
  return dead.length === 0
    ? pass('mirror', `mirrors answer for ${probes.map(({ archive }) => archive).join(', ')}`)
    : fail('mirror', `no mirror answers for ${dead.join(', ')}`, remedy)
}

function clockCheck(probes: readonly MirrorProbe[]): Check {
  const skews = probes.flatMap(({ skewSeconds }) => (skewSeconds === null ? [] : [skewSeconds]))
  const [skew] = skews
  if (skew === undefined) return skip('clock', 'no mirror told the time', null)
  return Math.abs(skew) <= 300
    ? pass('clock', `within ${Math.abs(Math.round(skew))} seconds of the mirror`)
    : fail('clock', `off by ${Math.round(skew)} seconds from the mirror`, 'set the clock; signed indexes and signatures carry times')
}

async function machineChecks(ports: DoctorPorts): Promise<Check[]> {
  const missing = await ports.programs(['mmdebstrap', 'git', 'xz'])
  const free = await ports.freeBytes()
  return [
    missing.length === 0
      ? pass('programs', 'mmdebstrap, git and xz are here')
      : warn(
          'programs',
          `missing: ${missing.join(', ')}`,
          `apt-get install ${missing.map((name) => (name === 'xz' ? 'xz-utils' : name)).join(' ')}`,
        ),
    idsCheck(await ports.idRange()),
    free >= ports.needs.diskBytes
      ? pass('disk', `${(free / 2 ** 30).toFixed(0)} GiB free for work and blobs`)
      : warn(
          'disk',
          `${(free / 2 ** 30).toFixed(1)} GiB free, and a build may leave ${(ports.needs.diskBytes / 2 ** 30).toFixed(0)}`,
          'make room, or set BITWITNESS_HOME elsewhere',
        ),
  ]
}

function idsCheck(range: Awaited<ReturnType<DoctorPorts['idRange']>>): Check {
  if (range !== 'missing') return pass('ids', range === 'root' ? 'root needs no range of ids' : 'a range of ids for making a builder')
  return warn(
    'ids',
    'this user has no range of user and group ids to make a builder with',
    'apt-get install uidmap, and usermod --add-subuids 300000-365535 --add-subgids 300000-365535 USER; or bring one by bitwitness builder import',
  )
}

function pass(id: string, message: string): Check {
  return { id, state: 'pass', message, remedy: null }
}

function warn(id: string, message: string, remedy: string): Check {
  return { id, state: 'warn', message, remedy }
}

function fail(id: string, message: string, remedy: string): Check {
  return { id, state: 'fail', message, remedy }
}

function skip(id: string, message: string, remedy: string | null): Check {
  return { id, state: 'skip', message, remedy }
}
