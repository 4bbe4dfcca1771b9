import type { Sha256 } from '../../../../verifier/model/digest.ts'

/**
 * Phala Cloud's own pre-launch script by the sha256 of its text, with and without a line break at its end, which clients treat differently
 * (Dstack-TEE/dstack-examples, phala-cloud-prelaunch-script/prelaunch.sh; some versions were published in several texts).
 */
const PUBLISHED: readonly (readonly [version: string, ...digests: string[]])[] = [
  [
    '0.0.19',
    'cec8f68ce6185b912023d886bba20cd06386dd9751af904e6107e758b9d68983',
    'b8a42178d4dcba3107fbcc5eb5ba154432ddfc170aa0295f5c666f163c2526fc',
  ],
  [
    '0.0.18',
    '24d363e17b26dabdbf287588c1e1968fd7fdfef10954123b99ff6c6a837c5692',
    'dff5c66d04aef10b4efe83285eb92aa3433e9697ff316e912af2817eaf186394',
  ],
  [
    '0.0.17',
    '93d29be852c0ccf92b275f824d71f1b589e906503c4d67332f36c633412fabe5',
    '000a7271b4a7c714eabf7e449d588d2bdca9030d68ca4c1887d02ffe30e83b3c',
  ],
  [
    '0.0.16',
    '803d861b57b1c61244f3e6e48bc11a15f8d7e421d6f052282d90e0289e85903d',
    'b2e72e05ce3897c48461e117b8af93d1180f8fd47a1a75299e505d08a8fe1e02',
  ],
  [
    '0.0.16',
    '037a558a532ded8b5de956adb2a77684393abfc5a876a07274cf64035910c337',
    'df9fec92f27be6e8ce7c15458a9179c5c6c38973f48bc415e1c48c7261aba976',
  ],
  [
    '0.0.16',
    '9843af25b7069841b22cee60ee8f225b3d52e893de71b208feae724a8f6787fa',
    '83f8deb4a6d220bee3e2129327c3470f17d7e627ba5e0188c220f8d2f874fbc5',
  ],
  [
    '0.0.16',
    '4259eeddabdfcc73e657fef51d3511820f6899b1825db6a4ce0905c60f1f5869',
    '012d35ac075529308c00951a3bc0992772bd96a2f7ca52861e2902fd16a98c9a',
  ],
  [
    '0.0.15',
    'bf12939bc82c9bdd103b6b1226913e6da58ed7cfcfc7c7ae808ac0813715b9a8',
    '8b64551ccc34ed087a67e8ca41af19adb29155d490b049a6275798b61e962bd7',
  ],
  [
    '0.0.14',
    '22ee7123712744ae1814257bfd0a396d0a3c990c5e240c4e93253bdb5b649765',
    '2de6b1ca44ee7b2f469c16966a7fbca4e6262dbc40952a13150a2bfe5a73d766',
  ],
  [
    '0.0.13',
    'c608c19a6756b532f9995ffafab1ae569d50acff5283162e9787ee85f642641a',
    '94982f89f904852b5b3617229cb9e495d9d0b6a4b215e96672f4a8e23c0e1a9d',
  ],
  [
    '0.0.12',
    '7d3a3737bf3a59d6511cadb7b1867d21bae6d796136326c4be503323a5ad3741',
    'bac62a015a3d325353c69f07a7d302b163daec1d51ce65085c9bc6c0230af233',
  ],
  [
    '0.0.11',
    'd31c9df2af520aa5e23b99b428eba6854c84294b6f582dd46b150d624b0d4cbe',
    'dca9d83072c25283e8ae03e3609746c289ffd48b20992f3c2dfbecd0504cb2b4',
  ],
  [
    '0.0.10',
    '33778715b33573186ae1a32bbbd6e2a12047aaa1eecdeee7180216c2b1e0a24a',
    'eab12f120ce15d72f6770e33720bd234a976ee7b291c88b610ba6ebbd87f3d6e',
  ],
  [
    '0.0.8',
    '9c5470c546ed4d6e6351844121c92c18e477464f910df89a783aa26ffac4a410',
    '07aa80939c2766f6ac8a815862d37131bb6965d110ae594111150f65744056c1',
  ],
  [
    '0.0.8',
    'ff8a8a7c013fe5bc7a027ec371a5d9dc3ce172e9e71aca5012730246eba3bb99',
    'a2cba70e5df0d985f3d57c67f993d261d4f6d23cc6e0cb5d4b7cc06a9f31a05f',
  ],
  [
    '0.0.7',
    '7ea66e7cbf824b4d48e08fa1fe348ce9dddd4b5aa3f5624a5860913904ac8a1e',
    '8e4a34a4915b7abb84654613d8d929150de2d8b93822a11678310365bdc43255',
  ],
  [
    '0.0.7',
    'a521f725e63916bdb6b266535ea4ab25877033ee36c395e52503da322da07313',
    'f127afc7296c4d4d8dc17f3d7bafd31bdcd7960530a9e6bc1d9003389bd3a6a6',
  ],
  [
    '0.0.6',
    '7127d8fd1dd3f27bab2c0b4f04f402b59239ae6884c174186b6e7cc6dc4df898',
    '07ae3d9ecf223be6fc157cda98f57b38cc9175f50ea2640a13fcc3e0d6ad38e1',
  ],
  [
    '0.0.5',
    '3787d7beaf274f103b61b5e0220b113bffe7bd0dfb38545796eb7cfb46c3e3ba',
    '98b2c5fc229e33e1f9ceca677c42cb0165e0b2d0315797892516416a70c509c7',
  ],
  [
    '0.0.4',
    '6a68965b4966eeb08043afdac0cef7f0115e3d27f73fe0c028f81664ed05e04e',
    'baf30240268640f8d98e2f25b04ffdeaab2fcdb31100b2652f8a4d30fab2fdd3',
  ],
]

const VERSIONS: ReadonlyMap<string, string> = new Map(
  PUBLISHED.flatMap(([version, ...digests]) => digests.map((digest) => [digest, version] as const)),
)

/** Before it, images named by digest could not be had from some registries. */
export const FIRST_THAT_TAKES_DIGESTS = 16
/** The version of Phala's own script; undefined for any other text. */
export function phalaScript(sha256: Sha256): { readonly version: string; readonly patch: number } | undefined {
  const version = VERSIONS.get(sha256)
  return version === undefined ? undefined : { version, patch: Number(version.split('.').at(-1)) }
}
