import { describe, expect, it } from 'vitest'
import { Sha256 } from '../../../verifier/model/digest.ts'
import type { ServingDocument } from '../../app/service/serving-document.ts'
import { servingLines } from './serving.ts'

const FACTS: ServingDocument = {
  schema: 'bitwitness/serving/v1',
  url: 'http://127.0.0.1:8080/',
  version: '0.1.0',
  database: 'embedded',
  home: '/srv/home\u001b[2J',
  signer: { kind: 'key', fingerprint: Sha256.parse('ab'.repeat(32)) },
  worker: { architecture: 'amd64', slots: 2 },
  noWorker: null,
  policies: null,
  targets: [],
}

const shown = (facts: Partial<ServingDocument>): string => servingLines({ ...FACTS, ...facts }, { color: false }).join('\n')

describe('what serve says once it listens', () => {
  it('names what to open, where it keeps things, and how to get a token', () => {
    const text = shown({})
    for (const part of [
      'http://127.0.0.1:8080/docs',
      'embedded, in /srv/home',
      'bitwitness token create NAME, with the settings',
      `sha256:${'ab'.repeat(32)}`,
    ])
      expect(text).toContain(part)
    expect(text).not.toContain('\u001b')
  })

  it('names policies and targets, and what of them cannot be followed', () => {
    expect(shown({})).toMatch(/policies {2}none: BITWITNESS_POLICIES names no folder\n {2}targets {3}none/)
    expect(shown({ policies: [] })).toMatch(/policies {2}none in the folder yet/)
    const policies = [
      { name: 'broken', followed: false },
      { name: 'production', followed: true },
    ]
    const targets = [{ name: 'rack', kind: 'dstack-vmm', policies: ['production', 'broken', 'canary'] }] as const
    const text = shown({ policies, targets: targets.map((target) => ({ ...target, policies: [...target.policies] })) })
    expect(text).toMatch(/policies {2}production\n +broken: cannot be followed, and lets nobody in; .*policy check/)
    expect(text).toMatch(/targets {3}rack \(dstack-vmm\), by production, broken \(cannot be followed\), canary \(not there\)/)
  })

  it('says who builds, and how others come to', () => {
    const add = 'bitwitness worker add NAME KEY here'
    expect(shown({})).toMatch(new RegExp(`in this process, amd64, 2 at once.*\\n.*${add}`))
    expect(shown({ worker: null })).toMatch(new RegExp(`none in this process\\n.*${add}`))
    const noWorker = { code: 'engine-unreachable', message: 'the engine does not answer', hint: 'start it' }
    expect(shown({ worker: null, noWorker })).toMatch(
      new RegExp(`none in this process\\n +the engine does not answer \\(engine-unreachable\\)\\n +start it\\n.*${add}`),
    )
  })
})
