import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { encodeStatement, keySigner, openKey, PREDICATE_TYPE, vsaOf } from '../attestations/index.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { decideGate } from '../src/app/gate/decide-gate.ts'
import { standingResult } from '../src/app/gate/standing-result.ts'
import { APP_COMPOSE, APP_ID, COMPOSE_HASH, digest, FACTS, POLICY } from '../src/app/gate/testing/passing.ts'
import { summaryInput } from '../src/app/service/summary.ts'

const tools = fetchedTools()

it.for(['passed', 'failed'] as const)(
  'cosign checks the summary of an app-compose that %s, by the app-compose',
  async (wanted, { skip }) => {
    if (tools === undefined) return skip(NO_TOOLS)
    const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-summary-'))
    try {
      const key = await openKey(folder)
      const document = decideGate({ policy: POLICY, sha256: digest('5') }, wanted === 'passed' ? FACTS : { ...FACTS, images: [] })
      const result = standingResult(document)
      expect(result).toBe(wanted)
      const standing = { appId: APP_ID, composeHash: COMPOSE_HASH, policy: 'production', result, document }
      const base = { builderBase: 'https://rebuild.example', base: new URL('https://rebuild.example/'), version: '1.2.3' }
      const statement = encodeStatement(vsaOf(summaryInput(standing, base)))
      const bundle = await keySigner(key).sign(statement, { signal: new AbortController().signal, owner: null })
      const files = {
        'summary.sigstore.json': bundle,
        'key.pub': key.publicKeyPem,
        'app-compose.json': APP_COMPOSE,
        other: `${APP_COMPOSE} `,
      }
      for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content)
      const checked = async (type: string, artifact: string): Promise<number | undefined> => {
        const words = ['verify-blob-attestation', '--key', 'key.pub', '--insecure-ignore-tlog', '--bundle', 'summary.sigstore.json']
        const env = { HOME: folder, TUF_ROOT: folder }
        const { exitCode } = await execa(tools.cosign, [...words, '--type', type, artifact], {
          cwd: folder,
          reject: false,
          timeout: 60_000,
          env,
        })
        return exitCode
      }
      expect(await checked(PREDICATE_TYPE.vsa, 'app-compose.json')).toBe(0)
      expect(await checked(PREDICATE_TYPE.vsa, 'other')).toBe(1)
      expect(await checked(PREDICATE_TYPE.reproduced, 'app-compose.json')).toBe(1)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
