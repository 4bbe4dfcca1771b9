import type { ContainerCreateOptions } from 'dockerode'
import { digestOf } from '../../bytes/digest-of.ts'
import type { SandboxFacts } from '../../model/attempt.ts'
import { Sha256 } from '../../model/digest.ts'
import type { Limits } from '../sandbox.ts'

/** Everything the engine holds for us carries this label; its value is the home that owns it. */
export const LABEL_HOME = 'io.bitwitness.home'
/** `<pid>:<start time>` of the process that made it, to tell a leftover from a neighbour's running work. */
export const LABEL_OWNER = 'io.bitwitness.owner'
/** The CPUs of a build, for others that look for free ones. */
export const LABEL_CPUSET = 'io.bitwitness.cpuset'

export const PROFILE = 'docker-userns/v1'
const WORK = '/work'

export type SandboxSettings = {
  readonly limits: Limits
  readonly workspace: 'tmpfs' | 'volume'
  /** Name of the loaded AppArmor profile, or null where the engine enforces none. */
  readonly apparmor: string | null
  /** Docker's JSON format. */
  readonly seccomp: string
}

export type Placement = {
  /** Image id. */
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  /** Which of the engine's CPUs, in cpuset notation. */
  readonly cpuset: string
  readonly volume: string | null
}

/**
 * The container of one attempt: the least privilege that mkosi builds identical bits with. Non-root; the two capabilities stay only in
 * the bounding set, for the file-capped newuidmap and newgidmap; no network, no bind mount, read-only root.
 */
export function containerSpec(settings: SandboxSettings, placement: Placement): ContainerCreateOptions {
  const { limits } = settings
  const work = `rw,exec,dev,suid,size=${limits.diskBytes},mode=0755,uid=1000,gid=1000`
  const scratch = 'rw,exec,nosuid,size=1073741824,mode=1777'
  return {
    Image: placement.image,
    Entrypoint: ['/usr/bin/python3', '-I', '-B', '/usr/lib/bitwitness/agent.py'],
    Cmd: [],
    Env: ['PATH=/usr/bin:/usr/sbin', 'LANG=C.UTF-8', 'TZ=UTC'],
    User: '1000:1000',
    WorkingDir: '/',
    Hostname: 'builder',
    Labels: { ...placement.labels },
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: true,
    // The container's stdin ends with our connection, so a killed client never leaves a build running.
    StdinOnce: true,
    Tty: false,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['SETUID', 'SETGID'],
      SecurityOpt: [`seccomp=${settings.seccomp}`, ...(settings.apparmor === null ? [] : [`apparmor=${settings.apparmor}`])],
      Privileged: false,
      IpcMode: 'private',
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      PidsLimit: limits.processes,
      CpusetCpus: placement.cpuset,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: 4096, Hard: 4096 },
      ],
      Tmpfs: { '/tmp': scratch, '/var/tmp': scratch, ...(settings.workspace === 'tmpfs' ? { [WORK]: work } : {}) },
      ...(placement.volume === null ? {} : { Mounts: [{ Type: 'volume', Source: placement.volume, Target: WORK, ReadOnly: false }] }),
      // The output passes through stdout: a log driver would store it a second time.
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    },
  }
}

/** What the report says of the sandbox. The digest is over the specification without what differs from attempt to attempt. */
export function sandboxFacts(settings: SandboxSettings): SandboxFacts {
  const spec = containerSpec(settings, { image: '', labels: {}, cpuset: '', volume: settings.workspace === 'volume' ? 'volume' : null })
  const digest = digestOf(JSON.stringify({ profile: PROFILE, cpus: settings.limits.cpus, spec }))
  return {
    profile: PROFILE,
    digest: Sha256.parse(digest),
    isolation: 'shared-kernel',
    apparmor: settings.apparmor === null ? 'absent' : 'enforced',
    workspace: settings.workspace,
  }
}
