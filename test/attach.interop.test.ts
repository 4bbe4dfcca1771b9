import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { keySigner } from '../attestations/sign/key-signer.ts'
import { fetchedTools, NO_TOOLS } from '../attestations/verify/testing/fetched-tools.ts'
import { attach } from '../src/app/attach.ts'
import { FakeRegistry } from '../src/registry/testing/fake-registry.ts'
import { manifestOf, openTestRegistry } from '../src/registry/testing/open.ts'
import { parsePinnedReference } from '../verifier/model/image-reference.ts'

const { signal } = new AbortController()

/** The registry of test/registry.docker.test.ts has no referrers API; this one is ours, and cosign has to make do with it. */
it.for(['api', 'none'] as const)('cosign finds and verifies a bundle that was attached, referrers API: %s', async (referrers, { skip }) => {
  const tools = fetchedTools()
  if (tools === undefined) return skip(NO_TOOLS)
  const folder = await mkdtemp(path.join(tmpdir(), 'bitwitness-attach-interop-'))
  try {
    await using fake = await FakeRegistry.start({ referrers })
    const image = manifestOf({
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 },
      layers: [],
    })
    fake.manifests.set(`sha256:${image.sha256}`, { mediaType: image.mediaType, bytes: Buffer.from(image.bytes) })
    const target = `${fake.host}/owner/app@sha256:${image.sha256}`
    const { privateKey, publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: '_', digest: { sha256: image.sha256 } }],
      predicateType: 'bitwitness:reproduced/v1',
      predicate: {},
    }
    const bundle = path.join(folder, 'bundle.sigstore.json')
    await writeFile(
      bundle,
      await keySigner({ privateKeyPem: privateKey }).sign(Buffer.from(JSON.stringify(statement)), { signal, owner: null }),
    )
    await writeFile(path.join(folder, 'key.pub'), publicKey)
    await using registry = openTestRegistry()
    const { via } = await attach({ registry }, { bundles: [bundle], image: parsePinnedReference(target), signal })
    expect(via).toBe(referrers === 'api' ? 'referrers-api' : 'fallback-tag')
    const cosign = (type: string) =>
      execa(tools.cosign, ['verify-attestation', '--key', 'key.pub', '--insecure-ignore-tlog', '--type', type, target], {
        cwd: folder,
        reject: false,
        env: { DOCKER_CONFIG: folder },
      })
    const { exitCode, stderr } = await cosign('bitwitness:reproduced/v1')
    expect(exitCode, stderr).toBe(0)
    expect((await cosign('bitwitness:rebuild-result/v1')).exitCode).not.toBe(0)
  } finally {
    await rm(folder, { recursive: true })
  }
})
