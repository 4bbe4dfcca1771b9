import { createHash } from 'node:crypto'

/** The bytes that the statements of these tests are about. */
export const ARTIFACT = Buffer.from('hello image\n')

/** The exact bytes of a statement about them. */
export function statementBytes(predicateType = 'https://slsa.dev/provenance/v1'): Buffer {
  const digest = { sha256: createHash('sha256').update(ARTIFACT).digest('hex') }
  const predicate = {
    buildDefinition: { buildType: 'bitwitness:rebuild/v1', externalParameters: {} },
    runDetails: { builder: { id: 'https://witness.example/builder' } },
  }
  return Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [{ name: 'image.tar', digest }], predicateType, predicate }),
  )
}
