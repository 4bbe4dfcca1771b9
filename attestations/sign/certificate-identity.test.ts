import { generateKeyPairSync } from 'node:crypto'
import { initializeCA } from '@sigstore/mock'
import { expect, it } from 'vitest'
import { overlapping } from '../../verifier/bytes/testing/overlapping.ts'
import { type CertifiedIdentity, identityOfCertificate } from './certificate-identity.ts'

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ARC = '1.3.6.1.4.1.57264.1'
type Extension = { readonly oid: string; readonly value: string; readonly legacy?: boolean }

async function read(extensions: Extension[], subjectAltName = 'https://rebuilder.mock/a'): Promise<CertifiedIdentity | undefined> {
  const ca = await initializeCA(pair())
  const publicKey = pair().publicKey.export({ type: 'spki', format: 'der' })
  const { buffer, byteOffset, byteLength } = await ca.issueCertificate({ publicKey, subjectAltName, extensions })
  return identityOfCertificate(new Uint8Array(buffer, byteOffset, byteLength))
}

const issuer = { oid: `${ARC}.8`, value: 'https://issuer.mock' }
const legacyIssuer = { oid: `${ARC}.1`, value: 'https://legacy.mock', legacy: true }
const legacyRepository = { oid: `${ARC}.5`, value: 'acme/legacy', legacy: true }
const repository = { oid: `${ARC}.12`, value: 'https://git.mock/acme/rebuilder' }
const owner = { oid: `${ARC}.16`, value: 'https://git.mock/acme' }
const subjectAlternativeName = 'https://rebuilder.mock/a'

it.each<[string, Extension[], Omit<CertifiedIdentity, 'subjectAlternativeName'>]>([
  ['an issuer alone', [issuer], { issuer: issuer.value, sourceRepository: null, sourceRepositoryOwner: null }],
  ['an issuer in the old form', [legacyIssuer], { issuer: legacyIssuer.value, sourceRepository: null, sourceRepositoryOwner: null }],
  [
    'a repository and its owner',
    [issuer, repository, owner],
    { issuer: issuer.value, sourceRepository: repository.value, sourceRepositoryOwner: owner.value },
  ],
  [
    'a repository in the old form',
    [issuer, legacyRepository],
    { issuer: issuer.value, sourceRepository: 'https://github.com/acme/legacy', sourceRepositoryOwner: null },
  ],
  [
    'both forms, the newer before the old',
    [legacyIssuer, issuer, legacyRepository, repository],
    { issuer: issuer.value, sourceRepository: repository.value, sourceRepositoryOwner: null },
  ],
])('reads %s', async (_, extensions, identity) => {
  expect(await read(extensions)).toEqual({ ...identity, subjectAlternativeName })
})

it('finds nobody in a certificate that names no issuer, or no subject', async () => {
  expect([await read([]), await read([issuer], '')]).toEqual([undefined, undefined])
})

it('throws at what is no certificate', () => {
  for (const der of [Buffer.from('no certificate'), overlapping()]) expect(() => identityOfCertificate(der)).toThrow(Error)
})
