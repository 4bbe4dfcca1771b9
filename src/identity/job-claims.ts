import { z } from 'zod'

/** What a token says about the job that it was given to, of whichever CI system. */
export type JobClaims = {
  readonly repository: string
  /** Given once and to one repository. */
  readonly repositoryId: string
  /** Of the account or group that it belongs to. */
  readonly ownerId: string
  /** In full: `refs/heads/…`, `refs/tags/…`, `refs/pull/…`. */
  readonly ref: string
  readonly environment: string | null
}

const Id = z.string().regex(/^[1-9]\d{0,18}$/)
const Text = z.string().min(1).max(512)
const part = String.raw`(?!\.{1,2}(?:/|$))[A-Za-z0-9_.-]{1,128}`

/** https://docs.github.com/actions/reference/security/oidc */
const GitHub = z.object({
  repository: z.string().regex(new RegExp(`^${part}/${part}$`)),
  repository_id: Id,
  repository_owner_id: Id,
  ref: Text,
  environment: Text.optional(),
})

/** https://docs.gitlab.com/ci/secrets/id_token_authentication/ */
const GitLab = z.object({
  project_path: z.string().regex(new RegExp(`^${part}(?:/${part}){1,20}$`)),
  project_id: Id,
  namespace_id: Id,
  ref: Text,
  ref_type: z.enum(['branch', 'tag']),
  environment: Text.optional(),
})

/** Undefined where something is missing or is none. */
export function jobClaims(kind: 'github' | 'gitlab', payload: unknown): JobClaims | undefined {
  if (kind === 'github') {
    const { data } = GitHub.safeParse(payload)
    if (data === undefined) return undefined
    const { repository, ref, environment = null } = data
    return { repository, repositoryId: data.repository_id, ownerId: data.repository_owner_id, ref, environment }
  }
  const { data } = GitLab.safeParse(payload)
  if (data === undefined) return undefined
  const ref = `refs/${data.ref_type === 'tag' ? 'tags' : 'heads'}/${data.ref}`
  return {
    repository: data.project_path,
    repositoryId: data.project_id,
    ownerId: data.namespace_id,
    ref,
    environment: data.environment ?? null,
  }
}
