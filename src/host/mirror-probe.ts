import type { MirrorProbe } from '../app/doctor.ts'

/** Whether a mirror answers, within ten seconds, and what it takes for the time. Rejects with the signal's reason alone. */
export async function probeMirror(archive: string, url: URL, signal: AbortSignal): Promise<MirrorProbe> {
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
    const date = Date.parse(answer.headers.get('date') ?? '')
    return { archive, reached: answer.ok, skewSeconds: Number.isNaN(date) ? null : (Date.now() - date) / 1000 }
  } catch {
    signal.throwIfAborted()
    return { archive, reached: false, skewSeconds: null }
  }
}
