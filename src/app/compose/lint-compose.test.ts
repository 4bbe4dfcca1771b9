import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { composeHash } from './compose-hash.ts'
import { composeSarif } from './compose-sarif.ts'
import { ComposeLint, lintCompose } from './lint-compose.ts'
import { phalaScript } from './rules/known-scripts.ts'

const APP = { manifest_version: 2, name: 'app', runner: 'docker-compose', docker_compose_file: 'services: {}' }
const failing = (bytes: Uint8Array): unknown => {
  try {
    return lintCompose(bytes).verdict
  } catch (error) {
    return (error as { code?: unknown }).code ?? error
  }
}

describe('an app-compose', () => {
  it('is hashed as it is, whatever stands between its tokens', () => {
    fc.assert(
      fc.property(fc.constantFrom('', ' ', '\n', '\r\n\t'), fc.integer({ min: 0, max: 8 }), (space, indent) => {
        const text = `${space}${JSON.stringify(APP, null, indent)}${space}`
        const expected = createHash('sha256').update(text).digest('hex')
        expect([lintCompose(Buffer.from(text)).composeHash, composeHash(Buffer.from(text)).composeHash]).toEqual([expected, expected])
      }),
    )
  })

  it('gives its own id where nobody chose one, and the hash of its Compose file', () => {
    const bytes = Buffer.from(JSON.stringify(APP))
    const { composeHash: hash, appId, dockerCompose } = composeHash(bytes)
    expect([appId, dockerCompose]).toEqual([hash.slice(0, 40), createHash('sha256').update('services: {}').digest('hex')])
  })

  it.each([
    ['a key twice', '{"name":"a","name":"b"}', 'json-duplicate-key'],
    ['a key twice, once in escapes', '{"name":"a","n\\u0061me":"b"}', 'json-duplicate-key'],
    ['half a document', '{"name":', 'json-malformed'],
    ['a comment', '{"name":"a" /* b */}', 'json-malformed'],
    ['a prototype', '{"__proto__":{}}', 'json-malformed'],
    ['a number that is not exact', '{"swap_size":1e999}', 'json-number-inexact'],
    ['a key that YAML takes for another thing', '{"<<":{"name":"a"}}', 'compose-unreadable'],
  ])('with %s is not read', (_, text, code) => {
    expect(failing(Buffer.from(text))).toBe(code)
  })

  it('is text in UTF-8, of a size', () => {
    expect(failing(Uint8Array.of(0x7b, 0xff, 0x7d))).toBe('compose-not-utf8')
    expect(failing(Buffer.alloc((1 << 20) + 1, ' '))).toBe('compose-too-large')
  })

  it('and nothing else has a compose hash', () => {
    expect(() => composeHash(Buffer.from('services: {}'))).toThrow(expect.objectContaining({ code: 'compose-no-app' }))
  })
})

describe('the linter', () => {
  it('ends for any bytes, with a document or a code of its own', () => {
    const yaml = fc.array(
      fc.constantFrom(
        'services',
        ':',
        '\n',
        '  ',
        '- ',
        '&a',
        '*a',
        '<<',
        '!!x ',
        '"',
        "'",
        '{',
        '}',
        '[',
        ']',
        '%',
        '|',
        '>',
        '#',
        '\t',
        '\0',
        'ä',
        '${A}',
        'image',
        '? ',
        '---\n',
      ),
      { maxLength: 60 },
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      yaml.map((parts) => Buffer.from(parts.join(''))),
      yaml.map((parts) => Buffer.from(JSON.stringify({ ...APP, docker_compose_file: parts.join('') }))),
      fc.json().map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        const result = failing(input)
        expect(typeof result).toBe('string')
        if (result === 'accepted' || result === 'refused') expect(ComposeLint.safeParse(lintCompose(input)).success).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('shows nothing that a terminal would obey', () => {
    const compose = 'services:\n  "a\\u001b[2J\\u202e":\n    image: "x\\u001b]0;y\\u0007"\n    cap_add: ["\\u200b"]\n'
    const text = JSON.stringify(lintCompose(Buffer.from(compose)).findings)
    expect(text).not.toMatch(/\\u001b|\\u0007|\u202e|\u200b/)
  })

  it('gives SARIF with a rule for each result, and places in the file that was given', () => {
    const lint = lintCompose(Buffer.from('services:\n  app:\n    image: app\n    privileged: true\n'))
    const sarif = composeSarif(lint, { uri: 'docker-compose.yml', version: '1' }) as {
      runs: { tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; level: string; locations: object[] }[] }[]
    }
    const [run] = sarif.runs
    const rules = run?.tool.driver.rules.map(({ id }) => id)
    for (const { ruleId } of run?.results ?? []) expect(rules).toContain(ruleId)
    expect(run?.results.find(({ ruleId }) => ruleId === 'privileged')).toMatchObject({
      level: 'error',
      locations: [{ physicalLocation: { artifactLocation: { uri: 'docker-compose.yml' }, region: { startLine: 4, startColumn: 17 } } }],
    })
    const inner = composeSarif(
      lintCompose(Buffer.from(JSON.stringify({ ...APP, docker_compose_file: 'services:\n  app: {image: app}\n' }))),
      { uri: 'a', version: '1' },
    )
    expect(JSON.stringify(inner)).toContain('docker-compose/services/app/image (line 2, column 16)')
  })

  it('knows the scripts that Phala Cloud publishes, by version', () => {
    const of = (hex: string) => phalaScript(Sha256.parse(hex))
    expect(of('cec8f68ce6185b912023d886bba20cd06386dd9751af904e6107e758b9d68983')).toEqual({ version: '0.0.19', patch: 19 })
    expect(of('b8a42178d4dcba3107fbcc5eb5ba154432ddfc170aa0295f5c666f163c2526fc')).toEqual({ version: '0.0.19', patch: 19 })
    expect(of('0'.repeat(64))).toBeUndefined()
  })
})
