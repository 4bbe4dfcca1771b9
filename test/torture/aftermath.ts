import path from 'node:path'
import { sql } from 'drizzle-orm'
import { openKey } from '../../attestations/sign/key-file.ts'
import type { WebhookReceiver } from '../../src/notify/testing/webhook-receiver.ts'
import { openBlobFolder } from '../../src/storage/blob-folder.ts'
import { StoreRoom } from '../../src/store-room.ts'
import type { Secret } from '../../verifier/model/secret.ts'
import { rowsOf } from '../rows.ts'
import type { Submitted } from './client.ts'
import { keepHouseForADay } from './day-later.ts'
import { objectionsTo } from './expected.ts'
import { wrongBlobs } from './files-left.ts'
import { wrongAttestations, wrongRecords } from './records-left.ts'

export type AftermathOptions = {
  /** As StoreRoom has it. */
  readonly url: Secret | null
  readonly home: string
  readonly submitted: readonly Submitted[]
  readonly receiver: Pick<WebhookReceiver, 'requests'>
}

/** What is wrong with what a service leaves in its database and its home, when none of its processes runs. */
export async function aftermath({ url, home, submitted, receiver }: AftermathOptions): Promise<readonly string[]> {
  const found: string[] = []
  const onTrouble = (error: unknown): void => void found.push(`the queue fails: ${String(error)}`)
  await using store = await StoreRoom.open({ url, folder: path.join(home, 'db'), superviseSeconds: null, onTrouble })
  found.push(...(await wrongRecords(store)), ...(await keepHouseForADay(store, home)), ...(await wrongBlobs(store, home)))
  const blobs = await openBlobFolder(path.join(home, 'blobs'))
  const { publicKeyPem: publicKey } = await openKey(path.join(home, 'keys'))
  const known = new Set<string>()
  for (const one of submitted) {
    const [id = ''] = one.ids
    known.add(id)
    const verification = await store.reads.verifications.read(id)
    if (verification === undefined) {
      found.push(`submission ${one.planned.number} was accepted and is not there`)
      continue
    }
    const attempts = await store.reads.attempts.of(id)
    found.push(...objectionsTo(one, attempts))
    if (verification.verdict !== (one.end?.verdict ?? null)) found.push(`${id}: its verdict changed after it was given`)
    if (one.heard !== null) found.push(...(await unheard(store, id, one)))
    found.push(...(await wrongAttestations({ store, blobs, publicKey }, verification)))
    found.push(...wrongCallbacks(id, one, receiver))
  }
  for (const { id } of await rowsOf<{ id: string }>(store, sql`select id from verifications`))
    if (!known.has(id)) found.push(`${id} is there and nobody knows of it`)
  return found
}

async function unheard({ reads }: StoreRoom, id: string, { planned, heard, end }: Submitted): Promise<readonly string[]> {
  const events = await reads.events.after(id, 0, 1_000_000)
  if (heard === null || events.length === heard.length) return []
  const next = events[heard.length]
  const about = `${planned.character}, ${end?.state}`
  return [`${id} (${about}): ${heard.length} of ${events.length} events were heard, not ${next?.attempt} ${next?.kind} ${next?.at}`]
}

/** Who asked for it was told of each verdict, and of none twice under two names. */
function wrongCallbacks(id: string, { planned, end }: Submitted, { requests }: Pick<WebhookReceiver, 'requests'>): readonly string[] {
  const told = requests.filter(({ body }) => body.includes(id))
  const expected = planned.callback && end?.state === 'finished'
  if (!expected) return told.length === 0 ? [] : [`${id}: nobody asked to be told of it`]
  if (told.length === 0) return [`${id}: nobody was told of it`]
  const names = new Set(told.map(({ headers }) => headers['webhook-id']))
  return names.size === 1 ? [] : [`${id}: told of under several names: ${[...names].join(', ')}`]
}
