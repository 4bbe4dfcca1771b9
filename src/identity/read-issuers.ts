import { readSmallFile } from '../../verifier/bytes/small-file.ts'
import { Failure } from '../../verifier/model/failure.ts'
import { problemsInOne, readPlainYaml } from '../../verifier/recipe/plain-yaml.ts'
import { type IssuerConfig, IssuersFile } from './issuer-config.ts'

const MAX_FILE = 256 * 1024
const MAX_AUTHORITIES = 1024 * 1024
const GITHUB_TOKENS = 'token.actions.githubusercontent.com'

/**
 * Reads the file of issuers. `publicUrl` is this service's own, the audience where none is named. Failures: `issuers-unreadable`,
 * `issuers-malformed`, `issuers-incomplete`.
 */
export async function readIssuers(file: string, { publicUrl }: { readonly publicUrl: URL | null }): Promise<readonly IssuerConfig[]> {
  const text = await readText(file, MAX_FILE)
  const { data, problems } = readPlainYaml(text, IssuersFile)
  if (data === null)
    throw new Failure({
      code: 'issuers-malformed',
      message: `the file of issuers cannot be taken: ${problemsInOne(problems)}`,
      hint: 'write it as docs/identities.md says; a rule with `trusted` needs `ownerId`',
    })
  return await Promise.all(
    data.issuers.map(async ({ ca, issuer, kind, privateHost, rules, ...given }) => {
      const audience = given.audience ?? publicUrl?.origin
      const repositoriesAt = given.repositoriesAt ?? repositoriesOf(issuer, kind)
      if (audience === undefined || repositoriesAt === undefined)
        throw new Failure({
          code: 'issuers-incomplete',
          message: `an issuer in the file of issuers has no ${audience === undefined ? 'audience' : 'repositoriesAt'}`,
          hint: 'name it there; the audience may also be the public URL of this service, in BITWITNESS_PUBLIC_URL',
        })
      const authorities = ca === undefined ? null : await readText(ca, MAX_AUTHORITIES)
      return { issuer, kind, audience, repositoriesAt, authorities, privateHost, rules }
    }),
  )
}

/** GitLab issues tokens where it serves repositories; GitHub does not. */
function repositoriesOf(issuer: string, kind: 'github' | 'gitlab'): string | undefined {
  if (kind === 'gitlab') return issuer
  return new URL(issuer).host === GITHUB_TOKENS ? 'https://github.com' : undefined
}

async function readText(file: string, maxBytes: number): Promise<string> {
  const read = await readSmallFile(file, { maxBytes })
  if (read.bytes !== null) return read.bytes.toString('utf8')
  throw new Failure({
    code: 'issuers-unreadable',
    message: 'the file of issuers, or one of authorities that it names, cannot be read',
    hint: 'check that BITWITNESS_ISSUERS names a YAML file of at most 256 KiB, and `ca` in it PEM files, that this user may read',
    cause: read.cause,
  })
}
