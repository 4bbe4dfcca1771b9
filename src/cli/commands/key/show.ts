import { z } from 'zod'
import { Sha256, withPrefix } from '../../../../verifier/model/digest.ts'
import { command, fileFlag, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { printAnswer } from '../../output.ts'

/** The public half of a signing key. */
export const KeyDocument = z.strictObject({
  schema: z.literal('bitwitness/key/v1'),
  /** sha256 of the SPKI DER. */
  fingerprint: Sha256,
  /** PEM. */
  publicKey: z.string(),
})

export const showKey = command<{ readonly json: boolean; readonly key?: string }, []>({
  brief: 'Show fingerprint and public half of the key that signs here; it is made where there is none yet',
  parameters: { flags: { ...jsonFlag, key: fileFlag('Show this key, a private one in PEM, instead of the one of the settings') } },
  async run(io, flags) {
    const { fingerprint, publicKeyPem: publicKey } = await (await io.signing({ key: flags.key ?? null })).key()
    // Not on stdout, so that what is redirected is a key file.
    if (!flags.json) io.stderr.write(`${withPrefix(fingerprint)}\n`)
    await printAnswer(io, {
      json: flags.json,
      schema: KeyDocument,
      value: { schema: 'bitwitness/key/v1', fingerprint, publicKey },
      lines: () => [publicKey.trimEnd()],
    })
    return EXIT.yes
  },
})
