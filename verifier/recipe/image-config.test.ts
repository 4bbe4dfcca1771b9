import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ImageConfigReading, readImageConfig } from './image-config.ts'
import { type TreeFile, treeOf } from './testing/tree-of.ts'
import { TreeView } from './tree-view.ts'

const read = (file: TreeFile): ImageConfigReading => readImageConfig(new TreeView(treeOf({ 'bitwitness.yaml': file })))
const EMPTY = { entrypoint: [], cmd: [], workingDir: null, user: null, env: [], exposedPorts: [], labels: {} }

describe('bitwitness.yaml', () => {
  test('says how the image is packed', () => {
    const text = `# words
image:
  entrypoint: [/usr/bin/tini, "--"]
  cmd: ["/usr/bin/node", "/opt/app/server.js"]
  workingDir: /opt/app
  user: "1000:1000"
  env: ["NODE_ENV=production", "EMPTY="]
  exposedPorts: ["3000/tcp"]
  labels: { a.b: "!not a tag" }
`
    expect(read(text)).toEqual({
      imageConfig: {
        entrypoint: ['/usr/bin/tini', '--'],
        cmd: ['/usr/bin/node', '/opt/app/server.js'],
        workingDir: '/opt/app',
        user: '1000:1000',
        env: ['NODE_ENV=production', 'EMPTY='],
        exposedPorts: ['3000/tcp'],
        labels: { 'a.b': '!not a tag' },
      },
      problems: [],
    })
  })

  test.each(['', '# nothing\n', 'image: {}\n', '{}'])('may say nothing: %j', (text) => {
    expect(read(text)).toEqual({ imageConfig: EMPTY, problems: [] })
  })

  test.each([
    ['an unknown key', 'image:\n  comand: [x]\n', 2, 'image has a key that is not known: "comand"'],
    ['an unknown key at the top', 'image: {}\nother: 1\n', 2, 'the document has a key that is not known: "other"'],
    ['an unknown key after others', 'image:\n  user: a\n  comand: [x]\n', 3, 'image has a key that is not known: "comand"'],
    ['a text for a list', 'image:\n  cmd: /bin/sh\n', 2, 'image.cmd is a text, and has to be a list'],
    ['a number for a text', 'image:\n  cmd:\n    - sleep\n    - 1\n', 4, 'image.cmd.1 is a whole number, and has to be a text'],
    ['a relative folder', 'image:\n  workingDir: app\n', 2, 'image.workingDir is not what it should be'],
    ['a port out of range', 'image:\n  exposedPorts: ["65536/tcp"]\n', 2, 'image.exposedPorts.0 is not what it should be'],
    ['a variable without a value', 'image:\n  env: [HOME]\n', 2, 'image.env.0 is not what it should be'],
    ['a key twice', 'image:\n  user: a\n  user: b\n', 3, 'a key stands twice in it'],
    ['an alias', 'image:\n  labels: { a: &x b, c: *x }\n', 2, 'an anchor stands in it'],
    ['a merge key', 'image:\n  <<: { user: a }\n', 2, 'a merge key stands in it'],
    ['a tag', 'image:\n  user: !env USER\n', 2, 'a tag stands in it'],
    ['a standard tag', 'image:\n  user: !!str 1\n', 2, 'a tag stands in it'],
    ['two documents', 'image: {}\n---\nimage: {}\n', 2, 'it holds more than one document'],
    ['another directive', '%YAML 1.1\n---\nimage: {}\n', 1, 'a directive stands in it'],
    ['a zero byte', 'image:\n  cmd: ["a\\0b"]\n', 2, 'image.cmd.0 is not what it should be'],
    ['a list', '[]', 1, 'the document is an empty list, and has to be a map'],
    ['nothing closed', 'image: [', 1, 'it is no plain YAML'],
  ])('refuses %s', (_, text, line, message) => {
    const { imageConfig, problems } = read(text)
    expect(imageConfig).toEqual(EMPTY)
    expect(problems).toContainEqual({ line, message })
  })

  test.each([
    ['bytes', new Uint8Array([0xff]), 'it is no UTF-8 text'],
    ['much', '#'.repeat(65_537), 'it is larger than 64 KiB'],
    ['depth', '['.repeat(30_000), ''],
    ['a bomb', `a: &a [x,x]\nb: &b [*a,*a]\nc: [${'*b,'.repeat(999)}*b]\n`, 'an alias stands in it'],
    ['a link', { link: '/etc/passwd' }, 'it is no file of its own'],
  ] as const)('refuses %s', (_, file, message) => {
    const { imageConfig, problems } = read(file)
    expect(imageConfig).toEqual(EMPTY)
    expect(problems.length).toBeGreaterThan(0)
    if (message !== '') expect(problems.map((problem) => problem.message)).toContain(message)
  })

  test('never throws, and has either a config or problems', () => {
    const bits = fc.constantFrom(
      'image:',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!!str',
      '<<:',
      '"',
      'cmd',
      ': ',
      '|',
      '\t',
      '#',
      '---',
      '\0',
      '?',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(bits).map((parts) => parts.join('')),
        ),
        (text) => {
          const { imageConfig, problems } = read(text)
          if (problems.length > 0) expect(imageConfig).toEqual(EMPTY)
        },
      ),
    )
  })
})
