import { z } from 'zod'
import { Failure } from '../../verifier/model/failure.ts'
import type { PhalaApi } from './phala-api.ts'

/** How many of an account's apps are looked at. */
const MOST = 3

/** GET /cvms/paginated, of both versions of the API. */
const Uuid = z.string().regex(/^[0-9a-f-]{32,36}$/)
const Listed = z.object({ items: z.array(z.object({ vm_uuid: Uuid.nullish(), hosted: z.object({ id: Uuid }).nullish() })).max(1000) })
/** GET /cvms/{id}/compose_file */
const Compose = z.record(z.string(), z.unknown())

/**
 * App-composes of what runs in the account already: they show what Phala Cloud adds today. None where it does not show them, since it need not be
 * believed, and nothing depends on it.
 */
export async function phalaExamples(api: PhalaApi, signal: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]> {
  try {
    const { items } = await api.get({ path: `/cvms/paginated?page=1&page_size=${MOST}`, schema: Listed, signal })
    const ids = items.flatMap(({ vm_uuid, hosted }) => vm_uuid ?? hosted?.id ?? []).slice(0, MOST)
    const paths = ids.map((id) => `/cvms/${id.replaceAll('-', '')}/compose_file`)
    const found = await Promise.all(paths.map(async (path) => await api.find({ path, schema: Compose, signal })))
    return found.filter((one) => one !== undefined)
  } catch (error) {
    if (error instanceof Failure) return []
    throw error
  }
}
