import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { readKeys } from './key-names.ts'

/** A key, and its names as sha256sum of the DER, base64 of that, and ssh-keygen -lf print them. */
const PEM = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmG9GDlYKEN+j83i3Z9X0C7lGNLDo
IE4Ay74ogs8q1libMtoPs7BHMiEW0UJcWy4xhc3dCoZPPLyynJbIRMWLvw==
-----END PUBLIC KEY-----
`

it('knows a key by the names that signers and other tools give it', () => {
  const [key] = readKeys([PEM])
  expect(key?.fingerprint).toBe('f9c3ce3ef4a5dc86edd43cac39a860a7bd27631b8fd0c73ad63b8b39c4db441e')
  expect([...(key?.names ?? [])]).toEqual([
    'f9c3ce3ef4a5dc86edd43cac39a860a7bd27631b8fd0c73ad63b8b39c4db441e',
    '+cPOPvSl3Ibt1DysOahgp70nYxuP0Mc61juLOcTbRB4=',
    '+cPOPvSl3Ibt1DysOahgp70nYxuP0Mc61juLOcTbRB4',
    'SHA256:+cPOPvSl3Ibt1DysOahgp70nYxuP0Mc61juLOcTbRB4',
    'SHA256:GvD9gd0yPGRSMKJEvog0SyEbrzzm/zS8zo5Sw+bVvN0',
  ])
})

it.each(['P-384', 'secp256k1'])('takes no key on the curve %s', (namedCurve) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve })
  expect(() => readKeys([publicKey.export({ type: 'spki', format: 'pem' }) as string])).toThrowError(
    expect.objectContaining({ code: 'public-key-unsupported' }),
  )
})
