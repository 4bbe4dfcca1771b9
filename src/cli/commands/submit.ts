import { type Claim, parseClaim } from '../../../verifier/model/claim.ts'
import { parseSha256, type Sha256 } from '../../../verifier/model/digest.ts'
import { parseAge } from '../attestation-arguments.ts'
import { command, fileFlag, jsonFlag } from '../command.ts'
import { parseAttempts } from '../rebuild-flags.ts'
import { parseServer } from '../server-argument.ts'
import { sourceArgument } from '../source-argument.ts'

export type SubmitFlags = {
  readonly json: boolean
  readonly verbose: boolean
  readonly claim?: readonly Claim[]
  readonly claimed?: string
  readonly lock?: string
  readonly inputs?: string
  readonly attempts: number
  readonly builder?: Sha256
  readonly maxAge?: number
  readonly callback?: string
  readonly server?: URL
  readonly report?: string
  readonly noWait: boolean
  readonly cancelOnInterrupt: boolean
}

const text = (value: string): string => value

export const submit = command<SubmitFlags, [string]>({
  brief: 'Have a service rebuild a recipe and hold the result against what its publisher claims',
  parameters: {
    flags: {
      claim: {
        kind: 'parsed',
        parse: parseClaim,
        variadic: true,
        optional: true,
        brief: 'What is claimed: of kind file, oci-manifest or dstack-os-image; file if not said',
        placeholder: '[KIND=]sha256:…',
      },
      claimed: {
        kind: 'parsed',
        parse: text,
        brief: 'Where the service finds the claimed bytes, to explain a difference; an image is a claim too',
        optional: true,
        placeholder: 'URL|IMAGE@sha256:…',
      },
      lock: fileFlag("Build with exactly the inputs of this lock, such as a publisher's"),
      inputs: fileFlag("Take the lock's inputs from this archive instead of mirrors"),
      attempts: { kind: 'parsed', parse: parseAttempts, brief: 'How often to build', default: '2', placeholder: 'N' },
      builder: {
        kind: 'parsed',
        parse: parseSha256,
        brief: 'Build in this builder image, which the service knows',
        optional: true,
        placeholder: 'sha256:…',
      },
      maxAge: {
        kind: 'parsed',
        parse: parseAge,
        brief: 'Take an answer to the same recipe, lock and builder that is no older: 90s, 30m, 24h, 7d',
        optional: true,
        placeholder: 'AGE',
      },
      callback: {
        kind: 'parsed',
        parse: text,
        brief: 'Have the service tell this https URL when it is over',
        optional: true,
        placeholder: 'URL',
      },
      server: {
        kind: 'parsed',
        parse: parseServer,
        brief: 'The service, instead of the one of the settings',
        optional: true,
        placeholder: 'URL',
      },
      report: fileFlag('Write the report to this file as well, for attest'),
      noWait: { kind: 'boolean', brief: 'Do not follow it to its end', default: false, withNegated: false },
      cancelOnInterrupt: {
        kind: 'boolean',
        brief: 'Cancel the verification where this is interrupted; it goes on otherwise',
        default: false,
        withNegated: false,
      },
      verbose: { kind: 'boolean', brief: 'Show the log of the build on stderr', default: false, withNegated: false },
      ...jsonFlag,
    },
    positional: sourceArgument,
  },
  async run(io, flags, source) {
    const { runSubmit } = await import('../run-submit.ts')
    return await runSubmit(io, flags, source)
  },
})
