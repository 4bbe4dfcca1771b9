/**
 * CHECK.md: the same bytes in every proof of version 1, and no others are taken, so that nobody can put instructions of their own in. A
 * change of this text is a change of the format: docs/proof.md has its digest.
 */
export const INSTRUCTIONS = `# How to check this proof

This text is the same in every proof of version 1 (bitwitness/proof/v1). A proof is what somebody signed about an image that they rebuilt
from its source, with everything that it takes to rebuild it again.

Two things have to reach you by another way than this file:

- the image, or its sha256 as whoever sent you here has it: IMAGE below;
- who must have signed: the fingerprint of a key, or an identity and its issuer.

key.pub and trusted_root.json in here prove nothing: whoever makes a false proof puts a key of their own in.

## Unpack it, and hold each file against the index

    tar -tvf FILE

Every line must begin with -rw-r--r-- 0/0, and every name with ./ and no .. in it: a proof holds plain files only, and no program.

    mkdir proof && tar -xf FILE -C proof && cd proof
    jq -r '.members[] | "\\(.sha256)  \\(.path)"' proof.json | sha256sum -c
    find . -type f ! -name proof.json | wc -l; jq '.members | length' proof.json

The two numbers must be the same: nothing is in it that the index does not name.

## Check who signed, and what

With a key. Compare the fingerprint before anything else:

    openssl pkey -pubin -in key.pub -outform DER | sha256sum
    cosign verify-blob-attestation --key key.pub --insecure-ignore-tlog \\
      --type bitwitness:reproduced/v1 --bundle attestations/reproduced.sigstore.json \\
      --digest "$(sha256sum IMAGE | cut -d ' ' -f 1)" --digestAlg sha256

With an identity, and the trusted root of its Sigstore instance from elsewhere (the public instance needs none):

    cosign verify-blob-attestation --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER --trusted-root ROOT \\
      --type bitwitness:reproduced/v1 --bundle attestations/reproduced.sigstore.json \\
      --digest "$(sha256sum IMAGE | cut -d ' ' -f 1)" --digestAlg sha256

bitwitness:reproduced/v1 means that every attempt gave exactly the claimed bytes. Every other verdict has the type
bitwitness:rebuild-result/v1 and lies in attestations/rebuild-result.sigstore.json.

## See that the readable parts are what was signed

    jq -r .dsseEnvelope.payload attestations/reproduced.sigstore.json | base64 -d | cmp - attestations/reproduced.statement.json
    jq -r .predicate.report attestations/reproduced.statement.json; sha256sum report.json
    jq -r .lock report.json; sha256sum inputs.lock.json
    jq -r .builder.digest report.json; jq -r .digest builder.json
    jq -r .lock builder.json; sha256sum builder.lock.json

Each two must be the same. A tree manifest is named after its own sha256, which the report names as treeManifest. source.tar and
inputs.tar, where they are there, are plain tars: the recipe, and every byte that the build took from the network.

## With Bitwitness

    bitwitness attestation verify FILE --artifact IMAGE --key KEY
    bitwitness verify --from FILE --key KEY

The first checks what is signed; the second does that and then builds it again here, and says whether it comes to the same.
`

/** The same as it lies in a proof. */
export function instructions(): Uint8Array {
  return Buffer.from(INSTRUCTIONS, 'utf8')
}
