import type { Sha256 } from '../../../verifier/model/digest.ts'
import type { StoredBuilder } from '../store/records.ts'
import type { Reads } from '../store/store-ports.ts'
import type { ServicePorts } from './accept-verification.ts'
import { firstAllowed } from './job-terms.ts'

export type CurrentBuilderPorts = Pick<ServicePorts, 'allowedBuilders' | 'now'> & {
  readonly reads: Pick<Reads, 'builders' | 'verifications' | 'workers'>
  /** Whether it is made as this program makes builders today, for the mkosi that is chosen today. */
  readonly isOfToday: (builder: StoredBuilder) => Promise<boolean>
}

/** A worker asks for work, or beats, far more often. */
const ALIVE_MS = 120_000

/**
 * The builder that an attempt would be made in now for which nobody names one; null where that cannot be said. Where the operator names
 * builders it is theirs. Else it is the one that workers took last, unless one of them says that it would take another one now: workers name
 * that first.
 */
export async function currentBuilder(
  { reads, now, isOfToday, allowedBuilders = [] }: CurrentBuilderPorts,
  o: { readonly architecture: string; readonly trusted: boolean },
): Promise<Sha256 | null> {
  const known = reads.builders.find
  if (allowedBuilders.length > 0) return await firstAllowed(allowedBuilders, { architecture: o.architecture, has: [], known })
  const last = await reads.verifications.chosenLast(o)
  const builder = last === undefined ? undefined : await known(last)
  if (builder === undefined || !(await isOfToday(builder))) return null
  const at = now()
  const held = await reads.workers.builders({ ...o, since: new Date(at.getTime() - ALIVE_MS), now: at })
  return held.every(([first]) => first === undefined || first === builder.digest) ? builder.digest : null
}
