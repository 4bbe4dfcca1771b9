/**
 * What other processes are told when the transaction commits. `jobs` carries a queue, the others a verification's id. `verdicts` is what changes how an
 * image counts: a verdict was given, or a statement published.
 */
export type Channel = 'jobs' | 'events' | 'verifications' | 'verdicts'

export interface Notices {
  send(channel: Channel, about: string): Promise<void>
}

/** Hears what any process said. A notice may be lost while the connection is: whoever listens looks again when `onGap` tells so. */
export interface NoticeBoard {
  listen(channel: Channel, o: { onNotice: (about: string) => void; onGap: () => void }): Promise<AsyncDisposable>
}
