import type { FlagParametersForType } from '@stricli/core'
import { z } from 'zod'
import { parseSha256, type Sha256 } from '../../../../verifier/model/digest.ts'
import { Failure } from '../../../../verifier/model/failure.ts'
import type { BundleSource, VerifyAttestationCommand } from '../../../app/verify-attestation.ts'
import { bundleSourceOf, predicateTypeOf } from '../../attestation-arguments.ts'
import type { CliContext } from '../../cli-context.ts'
import { command, fileFlag, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'
import { askedOf, type SignerFlags, signerFlags, signerOf } from '../../signer-flags.ts'

type Flags = SignerFlags & {
  readonly json: boolean
  readonly artifact?: string
  readonly digest?: Sha256
  readonly type: string
}

const { maxAge, trustedRoot, refreshTrustedRoot, logEntries, times, certificateTimestamps, ...who } = signerFlags

const flags: FlagParametersForType<Flags, CliContext> = {
  ...jsonFlag,
  artifact: fileFlag('The artifact that the statement must be about'),
  digest: {
    kind: 'parsed',
    parse: parseSha256,
    placeholder: 'sha256:…',
    brief: 'Its digest, in place of the artifact itself',
    optional: true,
  },
  ...who,
  type: {
    kind: 'parsed',
    parse: predicateTypeOf,
    default: 'reproduced',
    placeholder: 'KIND',
    brief: 'reproduced, rebuild-result, provenance, vsa, sbom, or a URI',
  },
  maxAge,
  trustedRoot,
  refreshTrustedRoot,
  logEntries,
  times,
  certificateTimestamps,
}

export const verifyAttestation = command<Flags, [BundleSource]>({
  brief: 'Verify a signed statement about an artifact; asks no network unless told to',
  parameters: {
    flags,
    positional: {
      kind: 'tuple',
      parameters: [{ parse: bundleSourceOf, brief: 'A file of bundles, a proof, IMAGE@sha256:… or an https URL', placeholder: 'BUNDLE' }],
    },
  },
  async run(io, flags, source) {
    const artifact = artifactOf(flags)
    const { policy, trustedRoot } = askedOf(flags)
    // Schemas are used once here: compiling them would take longer than it saves.
    z.config({ jitless: true })
    const [{ verifyAttestations }, { AttestationCheckDocument }, { attestationLines }, room] = await Promise.all([
      import('../../../app/verify-attestation.ts'),
      import('../../../app/attestation-check.ts'),
      import('../../render/attestation.ts'),
      io.verifying(),
    ])
    const signer = await signerOf(flags)
    const document = await verifyAttestations(room, {
      source,
      artifact,
      policy: { ...policy, predicateType: flags.type, signer },
      trustedRoot,
      signal: io.signal,
    })
    await printAnswer(io, {
      json: flags.json,
      schema: AttestationCheckDocument,
      value: document,
      lines: () => attestationLines(document, io),
    })
    return document.verdict === 'verified' ? EXIT.yes : EXIT.no
  },
})

function artifactOf({ artifact, digest }: Flags): VerifyAttestationCommand['artifact'] {
  if (artifact !== undefined && digest !== undefined)
    throw new Failure({
      code: 'artifact-ambiguous',
      message: 'the artifact is given twice',
      hint: 'give --artifact FILE or --digest sha256:…, not both',
    })
  if (digest !== undefined) return { digest }
  return artifact === undefined ? null : { file: artifact }
}
