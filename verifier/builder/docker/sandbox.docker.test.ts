import { beforeAll, describe, expect, it } from 'vitest'
import { ownedByAnother, type Settings, type TestRoom, testRoom } from '../../../test/shared-home.ts'
import type { SandboxEnd } from '../sandbox.ts'

/** An empty tar: two blocks of zeros, padded to a record. */
const NO_SOURCE = new Uint8Array(10_240)
const MIB = 1024 ** 2

type Ran = { readonly end: SandboxEnd; readonly outputs: ReadonlyMap<string, string>; readonly log: string }
type Options = { readonly changes?: Partial<Settings>; readonly signal?: AbortSignal; readonly onStage?: (stage: string) => void }

let shared: TestRoom

beforeAll(async () => {
  shared = await testRoom()
})

async function start(script: string, { changes, signal, onStage }: Options = {}): Promise<Ran> {
  const { room, builder } = changes === undefined ? shared : await testRoom(changes)
  const outputs = new Map<string, string>()
  let log = ''
  const end = await room.sandbox(builder).run(
    { command: ['sh', '-ec', script], summary: ['true'], environment: { PATH: '/usr/bin:/usr/sbin' }, sandboxTree: [] },
    {
      source: async function* () {
        yield NO_SOURCE
      },
      accept: (connection) => connection.destroy(),
      output: async (entry, bytes) => {
        let text = ''
        for await (const part of bytes) text += Buffer.from(part).toString('latin1')
        outputs.set(`${entry.type}:${entry.name}`, text)
      },
      summary: () => {},
      log: (bytes) => {
        log += Buffer.from(bytes).toString('utf8')
      },
      stage: (stage) => onStage?.(stage),
      signal: signal ?? new AbortController().signal,
    },
  )
  return { end, outputs, log }
}

/** One job alone, of which nothing is left. */
async function run(script: string, options?: Options): Promise<Ran> {
  const ran = await start(script, options)
  expect(await shared.room.engine.leftovers(ownedByAnother)).toEqual({ containers: [], volumes: [] })
  return ran
}

describe('where jobs run', () => {
  it('is apart, though the turn comes to the same CPUs again', async () => {
    const { cpus } = await shared.room.engine.facts()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    const where = (ran: Ran): string => /Cpus_allowed_list:\s+(\S+)/.exec(ran.log)?.[1] ?? ran.log
    const script = 'grep Cpus_allowed_list /proc/self/status'
    const long = start(`${script}; sleep 15`, { onStage: (stage) => stage === 'build' && begin() })
    await begun
    // What is at work on other CPUs in the meantime is none of ours.
    for (let turn = 1; turn < cpus; turn += 1) await start('true')
    const second = await start(script)
    expect(where(second)).not.toBe(where(await long))
  })
})

describe('what a job may do', () => {
  it('hands out regular files as they are and folders as tars, and of a link nothing', async () => {
    const { end, outputs } = await run('cd /work/out; printf bits > a; mkdir d; printf x > d/f; ln -s /etc/passwd l; mkfifo p')
    expect(end).toMatchObject({ kind: 'finished', exit: 0 })
    expect([...outputs.keys()]).toEqual(['file:a', 'tree:d'])
    expect(outputs.get('file:a')).toBe('bits')
    expect(outputs.get('tree:d')).toContain('./f')
  })

  it('is root over a full range of ids in a user namespace of its own', async () => {
    const { end, log } = await run('cat /proc/self/uid_map; touch /work/out/f; chown 12345:54321 /work/out/f; stat -c %u:%g /work/out/f')
    expect(end).toMatchObject({ kind: 'finished', exit: 0 })
    expect(log.replaceAll(/ +/g, ' ')).toContain('0 1000 1')
    expect(log).toContain('12345:54321')
  })

  it('tells of a job that fails by its exit code', async () => {
    expect((await run('exit 7')).end).toMatchObject({ kind: 'finished', exit: 7 })
  })
})

describe('what a job may not do', () => {
  it('sees no network but its own loopback', async () => {
    const { log } = await run(
      'cat /proc/net/route /proc/net/ipv6_route | grep -v -w lo | grep -v Iface >&2 || echo no routes; ls /sys/class/net',
    )
    expect(log).toContain('no routes')
    expect(log.trim().split('\n').at(-1)).toBe('lo')
  })

  it('sees no socket of the engine and nothing of the host', async () => {
    const { log } = await run('ls /var/run/docker.sock /run/docker.sock 2>&1 || true; cut -d" " -f5 /proc/self/mountinfo | sort -u')
    expect(log).not.toMatch(/^\/(var\/)?run\/docker\.sock$/m)
    const mounts = log.split('\n').filter((line) => line.startsWith('/') && !/^\/(dev|proc|sys)(\/|$)/.test(line))
    expect(
      mounts.filter((mount) => !['/', '/work', '/tmp', '/var/tmp', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'].includes(mount)),
    ).toEqual([])
  })

  it.each([
    ['change a setting of the kernel', 'cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern'],
    ['write into the builder', 'touch /usr/bin/owned'],
    ['replace the process that supervises it', 'echo x > /usr/lib/bitwitness/agent.py'],
    ['read the memory of the process that supervises it', 'head -c 1 /proc/1/mem'],
    ['see the open files of the process that supervises it', 'ls /proc/1/fd/'],
    ['make a device', 'mknod /work/sda b 8 0'],
    ['load a module', 'python3 -c "import ctypes,sys; sys.exit(0 if ctypes.CDLL(None).syscall(313, 0, 0, 0) == 0 else 1)"'],
    [
      'take limits from the process that supervises it',
      'python3 -c "import resource; resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))"',
    ],
    [
      'trace another process',
      'sleep 60 & python3 -c "import ctypes,sys; sys.exit(0 if ctypes.CDLL(None).ptrace(16, $!, 0, 0) == 0 else 1)"',
    ],
  ])('cannot %s', async (_, script) => {
    const { end } = await run(script)
    expect(end).toMatchObject({ kind: 'finished' })
    expect(end.kind === 'finished' && end.exit !== 0).toBe(true)
  })

  it('cannot kill the process that supervises it', async () => {
    const { end, outputs } = await run('kill -9 1 || true; kill -9 -1 || true; printf alive > /work/out/f')
    expect(end.kind === 'finished' ? (outputs.get('file:f') ?? 'killed itself') : end.kind).toMatch(/^(alive|killed itself)$/)
  })

  it('leaves no process that goes on writing while the output is read', async () => {
    const { end, outputs } = await run('setsid sh -c "while :; do printf x >> /work/out/f; done" & sleep 1; ls -l /work/out/f')
    expect(end).toMatchObject({ kind: 'finished', exit: 0 })
    expect(outputs.get('file:f')).toMatch(/^x+$/)
  })
})

describe('limits', () => {
  it.each<[string, string, Partial<Settings>, string]>([
    ['time', 'sleep 600', { limitTime: 3 }, 'time'],
    ['time, of a job that ignores signals', 'trap "" TERM INT HUP; while :; do sleep 1; done', { limitTime: 3 }, 'time'],
    ['memory', 'python3 -c "x = b\'x\' * (1 << 30)"', { limitMemory: 256 * MIB }, 'memory'],
    ['processes', 'b() { b | b & }; b; sleep 5; exit 1', { limitProcesses: 64, limitTime: 60 }, 'processes'],
    ['disk', 'head -c 300000000 /dev/zero > /work/fill', { limitDisk: 100 * MIB }, 'disk'],
    ['the size of the output', 'head -c 50000000 /dev/zero > /work/out/f', { limitOutput: 10 * MIB }, 'output-size'],
    ['the size of the output, of a file with holes', 'truncate -s 8191P /work/out/f', { limitOutput: 10 * MIB }, 'output-size'],
    ['the size of the log', 'head -c 50000000 /dev/zero', { limitLog: MIB }, 'log-size'],
  ])('ends a job at the limit of %s', async (_, script, changes, limit) => {
    expect((await run(script, { changes })).end).toMatchObject({ kind: 'limit', limit })
  })

  it('watches the growth of a workspace on disk', async () => {
    const changes = { workspace: 'volume' as const, limitDisk: 200 * MIB }
    const { end } = await run('head -c 2000000000 /dev/zero > /work/fill; sync; sleep 5', { changes })
    expect(end).toMatchObject({ kind: 'limit', limit: 'disk' })
  })

  it('works on a workspace on disk', async () => {
    const { end, outputs } = await run('printf bits > /work/out/f', { changes: { workspace: 'volume' } })
    expect(end).toMatchObject({ kind: 'finished', exit: 0 })
    expect(outputs.get('file:f')).toBe('bits')
  })
})

describe('cancelling', () => {
  it.each(['source', 'build', 'collect'])('works in the stage %s', async (wanted) => {
    const stop = new AbortController()
    const { end } = await run('head -c 200000000 /dev/urandom > /work/out/f', {
      signal: stop.signal,
      onStage: (stage) => {
        if (stage === wanted) stop.abort()
      },
    })
    expect(end).toEqual({ kind: 'cancelled' })
  })

  it('works before anything was begun', async () => {
    const { end } = await run('true', { signal: AbortSignal.abort() })
    expect(end).toEqual({ kind: 'cancelled' })
  })
})
