import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EngineFacts } from '../../verifier/builder/docker/engine.ts'
import type { Sandbox, SandboxEnd } from '../../verifier/builder/sandbox.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { type DoctorPorts, DoctorReport, doctor } from './doctor.ts'

const FACTS: EngineFacts = {
  version: '28.0.0',
  architecture: 'amd64',
  cpus: 2,
  memoryBytes: 16e9,
  apparmor: true,
  seccomp: true,
  rootless: false,
  userns: false,
  cgroupVersion: '2',
  storageDriver: 'overlay2',
  kernel: '6.12',
}

function sandboxThatEnds(end: SandboxEnd): Sandbox {
  return { run: async () => end } as Partial<Sandbox> as Sandbox
}

function ports(changes: Partial<DoctorPorts> = {}): DoctorPorts {
  return {
    facts: async () => FACTS,
    leftovers: async () => ({ containers: [], volumes: [], folders: 0 }),
    mirrors: async () => [{ archive: 'debian', reached: true, skewSeconds: 1 }],
    programs: async () => [],
    idRange: async () => 'there',
    freeBytes: async () => 100e9,
    sandbox: async () => sandboxThatEnds({ kind: 'finished', exit: 0, usage: { cpuMs: 1, peakMemoryBytes: 1 } }),
    needs: { memoryBytes: 6e9, diskBytes: 12e9, workspace: 'auto', apparmor: 'bitwitness-builder' },
    signal: new AbortController().signal,
    ...changes,
  }
}

async function stateOf(id: string, changes: Partial<DoctorPorts>): Promise<string | undefined> {
  const report = await doctor(ports(changes))
  DoctorReport.parse(report)
  const check = report.checks.find((one) => one.id === id)
  if (check !== undefined && check.state !== 'pass' && check.state !== 'skip') expect(check.remedy).not.toBeNull()
  return check?.state
}

describe('doctor', () => {
  it('finds a good machine ready, with every check that its page lists', async () => {
    const report = await doctor(ports())
    expect(report.verdict).toBe('ready')
    expect(report.checks.every(({ state }) => state === 'pass')).toBe(true)
    const page = await readFile(path.join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8')
    const listed = [...page.matchAll(/^\| `([a-z]+)` \|/gm)].map(([, id]) => id)
    expect(report.checks.map(({ id }) => id)).toEqual(listed)
  })

  it('sees what is left over before the sandbox is tried, which sweeps it', async () => {
    let containers = ['c']
    const sandbox = async () => {
      containers = []
      return await ports().sandbox()
    }
    const { checks } = await doctor(ports({ sandbox, leftovers: async () => ({ containers, volumes: [], folders: 2 }) }))
    expect(checks.find(({ id }) => id === 'leftovers')).toMatchObject({
      state: 'warn',
      message: '1 containers, 0 volumes and 2 folders of runs that were killed',
    })
  })

  it.each<[string, string, Partial<DoctorPorts>]>([
    ['engine', 'fail', { facts: () => Promise.reject(new Failure({ code: 'engine-unreachable', message: 'm', hint: 'h' })) }],
    ['seccomp', 'fail', { facts: async () => ({ ...FACTS, seccomp: false }) }],
    ['apparmor', 'warn', { facts: async () => ({ ...FACTS, apparmor: false }) }],
    ['rootful', 'fail', { facts: async () => ({ ...FACTS, rootless: true }) }],
    ['memory', 'fail', { facts: async () => ({ ...FACTS, memoryBytes: 2e9 }) }],
    ['sandbox', 'skip', { sandbox: async () => null }],
    ['sandbox', 'fail', { sandbox: async () => sandboxThatEnds({ kind: 'lost', supervisorBroken: false }) }],
    ['leftovers', 'warn', { leftovers: async () => ({ containers: ['c'], volumes: [], folders: 0 }) }],
    ['leftovers', 'warn', { leftovers: async () => ({ containers: [], volumes: [], folders: 1 }) }],
    ['mirror', 'fail', { mirrors: async () => [] }],
    ['mirror', 'fail', { mirrors: async () => [{ archive: 'debian', reached: false, skewSeconds: null }] }],
    ['clock', 'fail', { mirrors: async () => [{ archive: 'debian', reached: true, skewSeconds: -900 }] }],
    ['clock', 'skip', { mirrors: async () => [{ archive: 'debian', reached: true, skewSeconds: null }] }],
    ['programs', 'warn', { programs: async () => ['xz'] }],
    ['ids', 'pass', { idRange: async () => 'root' }],
    ['ids', 'warn', { idRange: async () => 'missing' }],
    ['disk', 'warn', { freeBytes: async () => 1e9 }],
  ])('says of %s: %s', async (id, state, changes) => {
    expect(await stateOf(id, changes)).toBe(state)
    const failing = state === 'fail'
    expect((await doctor(ports(changes))).verdict).toBe(failing ? 'not-ready' : 'ready')
  })
})
