import { Failure } from '../../../verifier/model/failure.ts'
import { type PinnedReference, pinnedName } from '../../../verifier/model/image-reference.ts'
import type { VerifyAttestationPorts } from '../verify-attestation.ts'

/**
 * What lies beside an image in its registry. Fails as its registry does, with the code of that, the image by its name, and the way past it: to
 * bring what lies there as files.
 */
export async function bundlesBeside(
  ports: Pick<VerifyAttestationPorts, 'bundlesOf'>,
  image: PinnedReference,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  try {
    return (await ports.bundlesOf(image, signal)).bundles
  } catch (error) {
    if (!(error instanceof Failure) || !error.code.startsWith('registry-')) throw error
    const { code, message, hint, data, retryable, audience } = error
    throw new Failure({
      code,
      message: `what is attested of ${pinnedName(image)} cannot be read: ${message}`,
      hint: `${hint}; or give what was signed of it as files, by --bundle: nothing is asked then`,
      data,
      retryable,
      audience,
      cause: error,
    })
  }
}
