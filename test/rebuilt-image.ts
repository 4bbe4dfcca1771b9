import { generateKeyPairSync } from 'node:crypto'
import { encodeStatement, keySigner, PREDICATE_TYPE } from '../attestations/index.ts'
import { Policy } from '../src/app/gate/policy.ts'
import { APP_ID, MANIFEST, NAME, POLICY, PREDICATE, STATEMENT } from '../src/app/gate/testing/passing.ts'
import type { Sha256 } from '../verifier/model/digest.ts'
import { type HttpService, newId } from './http-service.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = keySigner({ privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() })
const signal = new AbortController().signal

/** What a policy of a service would say, whose own owners are named, and whose key is `rebuiltImage`'s. */
export const SERVICE_POLICY = Policy.parse({
  ...POLICY,
  signers: [{ key: publicKey.export({ type: 'spki', format: 'pem' }).toString() }],
  sources: { app: { ...POLICY.sources['app'], owners: ['local:alice'] } },
  attestations: { maxAge: 36_500, cacheSeconds: 60 },
  apps: { [APP_ID]: { images: [NAME], composes: [], admitters: ['local:alice'], devices: 'any' } },
})

/** A verification of the image that ended as reproduced, and its statement, signed by the key of the service. */
export async function rebuiltImage(service: HttpService, token: string, change: object = {}): Promise<string> {
  const id = await endedImage(service, token, { commit: newId().replaceAll('-', '').padEnd(40, '0') })
  await signImage(service, id, { owner: `local:${token}`, ...change })
  return id
}

/** A verification of the image that ended, as reproduced unless another verdict is said. */
export async function endedImage(
  service: HttpService,
  token: string,
  o: {
    readonly commit: string
    readonly decision?: Parameters<HttpService['decide']>[1]
    readonly repository?: string
  },
): Promise<string> {
  const { owner } = service.callers.get(`Bearer ${token}`) ?? (await service.caller(token))
  const url = o.repository ?? 'https://git.example/app/image.git'
  const source = { kind: 'git', url, commit: o.commit, path: 'images/app' } as const
  const id = await service.prepared(owner.id, {
    source,
    attempts: 1,
    claims: [{ kind: 'oci-manifest', name: null, sha256: MANIFEST, location: null }],
  })
  await service.commit(await service.worker(newId()))
  await service.decide(id, o.decision)
  return id
}

/** The statement about it, signed by the key of the service, with something else in its predicate; gives the digest of the bundle, as `forge` left it. */
export async function signImage(
  service: HttpService,
  id: string,
  change: object,
  forge: (bundle: string) => string = (bundle) => bundle,
): Promise<Sha256> {
  const statement = encodeStatement({
    ...STATEMENT,
    predicate: { ...PREDICATE, finishedAt: service.clock.now().toISOString(), ...change },
  })
  const stored = await service.put(forge(await signer.sign(statement, { signal, owner: null })))
  await service.store.unitOfWork.run(async ({ attestations, blobs }) => {
    const at = service.clock.now()
    await blobs.refer({ ...stored, verificationId: id, role: 'bundle', at })
    await attestations.publish({
      id: newId(),
      verificationId: id,
      predicateType: PREDICATE_TYPE.reproduced,
      bundle: stored.sha256,
      signer: 'key',
      createdAt: at,
    })
  })
  return stored.sha256
}
