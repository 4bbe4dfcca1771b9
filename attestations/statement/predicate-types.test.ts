import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { digest } from '../testing/arbitrary-report.ts'
import { BUILD_TYPE, builderId, keyBuilderBase, PAYLOAD_TYPE, PREDICATE_TYPE } from './predicate-types.ts'
import { AbsoluteUri } from './statement.ts'

const page = readFileSync(path.join(import.meta.dirname, '../../docs/attestations.md'), 'utf8')

describe('the type URIs', () => {
  it.each([...Object.values(PREDICATE_TYPE), BUILD_TYPE])('%s is absolute, and the documentation names it', (uri) => {
    expect(AbsoluteUri.safeParse(uri).success).toBe(true)
    expect(page).toContain(`\`${uri}\``)
  })

  it('are what the documented command signs over', () => {
    expect(page).toContain(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} %d `)
  })
})

describe('builderId', () => {
  const mode = { isolation: 'shared-kernel', profile: 'docker-userns-v1' }

  it('is another for each operator, key and security mode', () => {
    const ids = [
      builderId('https://a.example/builder', mode),
      builderId('https://b.example/builder', mode),
      builderId('https://a.example/builder', { ...mode, profile: 'other' }),
      builderId('https://a.example/builder', { ...mode, isolation: 'other' }),
      builderId(keyBuilderBase(digest('a')), mode),
      builderId(keyBuilderBase(digest('b')), mode),
    ]
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !AbsoluteUri.safeParse(id).success)).toEqual([])
  })

  it('is the same with a slash at the end of the operator’s URI', () => {
    expect(builderId('https://a.example/b//', mode)).toBe(builderId('https://a.example/b', mode))
  })
})
