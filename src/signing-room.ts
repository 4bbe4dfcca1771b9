import path from 'node:path'
import type { TokenSource } from '../attestations/sign/identity-token.ts'
import { openKey, readKeyFile } from '../attestations/sign/key-file.ts'
import { keySigner } from '../attestations/sign/key-signer.ts'
import type { SigningKey } from '../attestations/sign/signing-key.ts'
import { sigstoreSigner } from '../attestations/sign/sigstore-signer.ts'
import { tokenFromCi, tokenFromFile, tokenFromUrl } from '../attestations/sign/token-sources.ts'
import { keyBuilderBase } from '../attestations/statement/predicate-types.ts'
import { MAX_TRUSTED_ROOT, parseTrustedRoot } from '../attestations/verify/trusted-root.ts'
import { readSmallFile } from '../verifier/bytes/small-file.ts'
import { Failure } from '../verifier/model/failure.ts'
import type { AttestPorts } from './app/attest.ts'
import type { CiIdentity } from './config/ci-identity.ts'
import { openHome } from './config/home.ts'
import type { Settings } from './config/settings.ts'
import { type SigningConfig, signingConfig } from './config/signing.ts'

export type SigningRoomOptions = {
  readonly settings: Settings
  readonly ci: CiIdentity
  /** A key that goes before what the settings say; relative to the working folder. */
  readonly key: string | null
}

/** What commands that sign need; no engine is asked and no blob is opened. */
export class SigningRoom {
  readonly #config: SigningConfig
  readonly #home: string
  readonly #ci: CiIdentity

  constructor({ settings, ci, key }: SigningRoomOptions) {
    this.#config = signingConfig(key === null ? settings : { ...settings, signer: 'key', keyFile: path.resolve(key) })
    this.#home = settings.home
    this.#ci = ci
  }

  /** The key that signs, made where there is none yet. */
  async key(): Promise<SigningKey> {
    const config = this.#config
    if (config.mode === 'key') return await this.#openKey(config.keyFile)
    throw new Failure({
      code: 'signer-has-no-key',
      message: 'the settings sign through Sigstore, with a key that is made for each signing',
      hint: 'unset BITWITNESS_SIGNER or set it to key, or name a key by --key',
    })
  }

  async ports(): Promise<AttestPorts> {
    const config = this.#config
    const trustedRoot = config.trustedRoot === null ? null : await readTrustedRoot(config.trustedRoot)
    const trusted = trustedRoot === null ? null : parseTrustedRoot(trustedRoot).material
    if (config.mode === 'key') {
      const { privateKeyPem, fingerprint } = await this.#openKey(config.keyFile)
      const builderBase = config.builderId ?? keyBuilderBase(fingerprint)
      return { keyed: true, signer: keySigner({ privateKeyPem, tsa: config.tsa, trusted }), builderBase, trustedRoot }
    }
    const { servers, token, bearer, builderId } = config
    if (builderId === null)
      throw new Failure({
        code: 'builder-id-missing',
        message: 'statements that are signed through Sigstore have no builder id of their own',
        hint: 'set BITWITNESS_BUILDER_ID to a URI that stands for whoever runs this',
      })
    return {
      keyed: false,
      signer: sigstoreSigner({ ...servers, token: this.#tokens(token, bearer), trusted }),
      builderBase: builderId,
      trustedRoot,
    }
  }

  async #openKey(file: string | null): Promise<SigningKey> {
    return file === null ? await openKey((await openHome(this.#home)).keys) : await readKeyFile(file)
  }

  #tokens(place: (SigningConfig & { mode: 'sigstore' })['token'], bearer: string | null): TokenSource {
    switch (place.kind) {
      case 'file':
        return tokenFromFile(place.path)
      case 'url':
        return tokenFromUrl(place.url, { bearer })
      case 'ci':
        return tokenFromCi(this.#ci)
    }
  }
}

async function readTrustedRoot(file: string): Promise<Uint8Array> {
  const read = await readSmallFile(file, { maxBytes: MAX_TRUSTED_ROOT })
  if (read.bytes !== null) return read.bytes
  throw new Failure({
    code: 'trusted-root-unreadable',
    message: 'the trusted root cannot be read',
    hint: 'check that BITWITNESS_TRUSTED_ROOT names a file that is there',
    cause: read.cause,
  })
}
