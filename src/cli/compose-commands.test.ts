import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ComposeCreated } from '../app/compose/create-compose.ts'
import { ComposeLint } from '../app/compose/lint-compose.ts'
import { openRegistryRoom } from '../registry-room.ts'
import { ran } from './testing/terminal.ts'

const IMAGE = `registry.example/app@sha256:${'ab'.repeat(32)}`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-compose-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const file = async (name: string, content: string): Promise<string> => {
  const made = path.join(folder, name)
  await writeFile(made, content)
  return made
}
const registry = () => openRegistryRoom({ dockerConfig: null, registryCa: null, plainHttpRegistries: [], limitOutput: 1 })

describe('compose lint', () => {
  it('ends with 1 where something is denied, and says where, why not and how to mend it', async () => {
    const compose = await file('bad.yml', 'services:\n  app:\n    image: app:latest\n    privileged: true\n')
    const { exit, stdout, opened } = await ran(['compose', 'lint', compose])
    expect([exit, opened]).toEqual([1, 0])
    expect(stdout).toContain('deny  image-unpinned  docker-compose:3:12  /services/app/image')
    expect(stdout).toContain('remedy: Write the image as NAME@sha256:')
    const json = await ran(['compose', 'lint', '--json', compose])
    expect(ComposeLint.parse(JSON.parse(json.stdout))).toMatchObject({ verdict: 'refused', kind: 'docker-compose', composeHash: null })
    const sarif = await ran(['compose', 'lint', '--sarif', compose])
    expect([sarif.exit, (JSON.parse(sarif.stdout) as { version: string }).version]).toEqual([1, '2.1.0'])
  })

  it('says of a file that it cannot read what is the matter with it', async () => {
    expect((await ran(['compose', 'lint', path.join(folder, 'none.yml')])).stderr).toContain('(compose-unread)')
    expect((await ran(['compose', 'lint', folder])).stderr).toContain('(compose-unread)')
    expect((await ran(['compose', 'lint', await file('large.yml', ' '.repeat(2 << 20))])).stderr).toContain('(compose-too-large)')
  })
})

describe('compose create', () => {
  it('writes what its own linter lets pass, with the hash that dstack measures', async () => {
    const output = path.join(folder, 'made')
    const words = [
      '--name',
      'web',
      '--port',
      '3000',
      '--port',
      '53/udp',
      '--env',
      'GREETING=é "$x" \n',
      '--command',
      'node',
      '--command',
      'a b',
    ]
    const made = await ran(['compose', 'create', '--json', '-o', output, ...words, '--working-dir', '/opt', IMAGE], {}, { registry })
    expect(made.exit, made.stderr).toBe(0)
    const { composeHash, files } = ComposeCreated.parse(JSON.parse(made.stdout))
    const appCompose = path.join(output, files.appCompose)
    const hashed = await ran(['compose', 'hash', appCompose])
    expect([hashed.exit, hashed.stdout.split('\n')[0]]).toEqual([0, composeHash])
    const lint = await ran(['compose', 'lint', '--json', appCompose])
    expect([lint.exit, JSON.parse(lint.stdout)]).toEqual([
      0,
      expect.objectContaining({ verdict: 'accepted', composeHash, images: [{ service: 'web', image: IMAGE, digest: 'ab'.repeat(32) }] }),
    ])
    const inner = (JSON.parse(await readFile(appCompose, 'utf8')) as { docker_compose_file: string }).docker_compose_file
    expect(await readFile(path.join(output, files.dockerCompose), 'utf8')).toBe(inner)
  })

  it('takes nothing away that lies there, and finds what it wrote before', async () => {
    const output = path.join(folder, 'kept')
    const create = async (...words: readonly string[]) =>
      await ran(['compose', 'create', '-o', output, '--name', 'web', ...words, IMAGE], {}, { registry })
    expect([(await create()).exit, (await create()).exit]).toEqual([0, 0])
    const before = await readFile(path.join(output, 'app-compose.json'), 'utf8')
    const other = await create('--port', '3000')
    expect([other.exit, other.stderr]).toEqual([2, expect.stringContaining('(compose-exists)')])
    expect(await readFile(path.join(output, 'app-compose.json'), 'utf8')).toBe(before)
    // One of the two is enough, and what can be no such file of ours is another.
    await rm(path.join(output, 'docker-compose-deploy.yml'))
    await mkdir(path.join(output, 'docker-compose-deploy.yml'))
    expect((await create()).stderr).toContain('(compose-exists)')
  })

  it.each([
    [['--name', 'No Name'], 'app-name-malformed'],
    [['--port', '${PORT}'], 'compose-text-unwritable'],
    [['--env', 'PATH'], 'compose-text-unwritable'],
    [['--env', `A=${'x'.repeat(300_000)}`], 'app-compose-too-large'],
  ])('writes nothing for %j', async (words, code) => {
    const output = path.join(folder, `none-${code}`)
    const made = await ran(['compose', 'create', '-o', output, ...words, IMAGE], {}, { registry })
    expect(made.stderr).toContain(`(${code})`)
    await expect(readFile(path.join(output, 'app-compose.json'))).rejects.toThrow('ENOENT')
  })

  it('takes no image by its tag', async () => {
    expect((await ran(['compose', 'create', '-o', folder, 'registry.example/app:latest'], {}, { registry })).exit).toBe(2)
  })
})

describe('compose hash', () => {
  it('hashes bytes, not what they mean', async () => {
    const one = await file('one.json', '{"name":"a","docker_compose_file":"services: {}"}')
    const other = await file('other.json', '{ "name":"a","docker_compose_file":"services: {}"}')
    const [a, b] = [await ran(['compose', 'hash', one]), await ran(['compose', 'hash', other])]
    expect(a.stdout).not.toBe(b.stdout)
    expect((await ran(['compose', 'hash', await file('plain.yml', 'services: {}\n')])).stderr).toContain('(compose-no-app)')
  })
})
