import { z } from 'zod'
import { Sha256 } from '../../verifier/model/digest.ts'
import { Failure } from '../../verifier/model/failure.ts'
import type { VerificationReport } from '../../verifier/model/report.ts'
import type { SbomInput } from './sbom-input.ts'

/** What has to be known of a bill to say what it is of; the rest is CycloneDX's. */
const Bill = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({
    component: z.looseObject({ hashes: z.tuple([z.strictObject({ alg: z.literal('SHA-256'), content: Sha256 })]) }),
  }),
})

/**
 * Reads a bill of materials that `sbomOf` wrote, and finds the image that it is of among those that every attempt of a report built. What was
 * only claimed gets no bill signed. Failures: `sbom-malformed`, `sbom-of-another-image`.
 */
export function readBill(
  { bytes, value }: { readonly bytes: Uint8Array /** What its JSON, strictly read, says. */; readonly value: unknown },
  { attempts }: VerificationReport,
): { readonly image: SbomInput['image']; readonly text: string } {
  const parsed = Bill.safeParse(value)
  if (!parsed.success)
    throw new Failure({
      code: 'sbom-malformed',
      message: 'the file is not a bill of materials that Bitwitness writes',
      hint: 'make it with bitwitness sbom, and leave it as it is',
    })
  const [{ content }] = parsed.data.metadata.component.hashes
  const built = attempts.map(({ artifacts }) => artifacts.find(({ sha256, notComparable }) => sha256 === content && notComparable === null))
  const artifact = built.at(-1)
  if (artifact !== undefined && !built.includes(undefined))
    return {
      image: { name: artifact.name, sha256: artifact.sha256, ociManifest: artifact.oci?.manifest ?? null },
      text: new TextDecoder().decode(bytes),
    }
  throw new Failure({
    code: 'sbom-of-another-image',
    message: 'the bill of materials is of an image that the attempts of the report did not all build',
    hint: 'make it of the image that was rebuilt, or leave it out',
  })
}
