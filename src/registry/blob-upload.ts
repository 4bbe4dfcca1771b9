import { withPrefix } from '../../verifier/model/digest.ts'
import type { BlobSource, BlobState } from '../app/image-registry.ts'
import { hasBlob, saysDigest } from './blob-read.ts'
import { ExchangeFailed } from './exchange-failed.ts'
import { registryFailure } from './failures.ts'
import type { Answer, Body } from './http-client.ts'
import { drop } from './read-body.ts'
import { backoff, patience } from './retry.ts'
import type { RegistrySession } from './session.ts'

export type UploadOptions = {
  readonly onBytes?: (done: number) => void
  readonly signal: AbortSignal
}

/** What is sent in one request once a server in between refused the whole: 32 MiB, then less, down to what the strictest known takes. */
const PIECES = [Number.POSITIVE_INFINITY, 32 * 1024 ** 2, 4 * 1024 ** 2] as const
/** Uploads begun anew, after a session was lost or its bytes were not what was sent. */
const MAX_SESSIONS = 5
/** Broken connections in one upload: one that always gets a little further would never end. */
const MAX_RESUMED = 100
/** A registry reads everything again before it says that it has it. */
const COMMIT_STALL_MS = 600_000

/**
 * Brings a blob into the repository: not at all where it is there, by taking it over from another repository of the registry, or by an
 * upload (OCI distribution-spec 1.1, "Pushing blobs"). The upload is one request, as `docker push` makes it, which is what every registry
 * knows; after a broken connection the registry is asked how much it has, and gets the rest. At the end it must say that it has the blob.
 * Rejects with a `registry-…` failure.
 */
export async function pushBlob(session: RegistrySession, blob: BlobSource, options: UploadOptions): Promise<BlobState> {
  const { signal } = options
  if (await hasBlob(session, blob, signal)) return 'present'
  const upload = new Upload(session, blob, options)
  for (let begun = 1; begun <= MAX_SESSIONS; begun += 1) {
    const state = await upload.run()
    if (state === 'again') continue
    if (!(await hasBlob(session, blob, signal))) throw registryFailure('registry-digest-differs', { sha256: blob.sha256 })
    return state
  }
  throw registryFailure('registry-upload-failed', { sha256: blob.sha256 })
}

class Upload {
  readonly #session: RegistrySession
  readonly #blob: BlobSource
  readonly #options: UploadOptions
  /** Index into PIECES. */
  #piece = 0
  /** Tries in a row after which the registry had no more than before. */
  #idle = 0
  #resumed = 0
  /** Of this session nothing was sent yet. */
  #first = true

  constructor(session: RegistrySession, blob: BlobSource, options: UploadOptions) {
    this.#session = session
    this.#blob = blob
    this.#options = options
  }

  /** One upload from its beginning. `again`: the registry lost it, or has other bytes. */
  async run(): Promise<'uploaded' | 'mounted' | 'again'> {
    const begun = await this.#begin()
    if (begun === 'mounted') return begun
    let url = begun
    let done = 0
    this.#first = true
    while (done < this.#blob.size) {
      const step = await this.#send(url, done)
      if (step === 'again') return 'again'
      if (step.done > done) this.#idle = 0
      done = step.done
      url = step.url
      this.#options.onBytes?.(done)
    }
    return await this.#commit(url)
  }

  async #begin(): Promise<URL | 'mounted'> {
    const { mountFrom } = this.#session
    const mount = mountFrom !== null ? `?mount=${withPrefix(this.#blob.sha256)}&from=${encodeURIComponent(mountFrom)}` : ''
    const at = `blobs/uploads/${mount}`
    const answer = await this.#session.request({ method: 'POST', at, body: EMPTY, signal: this.#options.signal })
    await drop(answer)
    // Where it is not taken over, the same answer is already that of an upload.
    if (mount !== '' && answer.status === 201) return 'mounted'
    if (answer.status !== 202) throw refusal(answer.status)
    return await this.#session.uploadUrl(answer, at)
  }

  /** Sends what is missing, or a piece of it, and gives what the registry has then. */
  async #send(url: URL, from: number): Promise<{ url: URL; done: number } | 'again'> {
    const to = Math.min(from + (PIECES[this.#piece] ?? 0), this.#blob.size)
    // Later it says where it belongs: what was sent before may still be on its way into the registry's store.
    const whole = this.#first && to === this.#blob.size
    this.#first = false
    let answer: Answer
    try {
      answer = await this.#session.request({
        method: 'PATCH',
        at: url,
        headers: { 'content-type': 'application/octet-stream', ...(whole ? {} : { 'content-range': `${from}-${to - 1}` }) },
        body: { size: whole ? null : to - from, open: () => this.#counted(from, to) },
        once: true,
        signal: this.#options.signal,
      })
      await drop(answer)
    } catch (error) {
      if (!(error instanceof ExchangeFailed)) throw error
      return await this.#ask(url, from)
    }
    if (answer.status === 202) {
      const next = answer.headers.location === undefined ? url : await this.#session.uploadUrl(answer, url)
      const done = received(answer.headers['range'])
      return done === to || done === null || to === 1 ? { url: next, done: to } : await this.#ask(next, from)
    }
    if (answer.status === 413) {
      this.#piece += 1
      if (this.#piece >= PIECES.length) throw registryFailure('registry-refused', { status: 413 })
      return 'again'
    }
    if (answer.status === 429 || answer.status >= 500 || answer.status === 416) return await this.#ask(url, from, answer)
    // A session that it does not know any more: kept in a memory that is gone, or too old.
    if (answer.status === 404 || answer.status === 400) return await this.#pause('again')
    throw refusal(answer.status)
  }

  /** Asks how much arrived; `again` where that cannot be learnt. */
  async #ask(url: URL, before: number, why?: Answer): Promise<{ url: URL; done: number } | 'again'> {
    await this.#pause('again', why)
    const answer = await this.#session.request({ method: 'GET', at: url, signal: this.#options.signal })
    await drop(answer)
    if (answer.status !== 204 && answer.status !== 202) return 'again'
    const done = received(answer.headers['range']) ?? 0
    // Less than it had already said, or more than there is: not what was sent.
    if (done < before || done > this.#blob.size) return 'again'
    // A server in between that takes no request of this size may hang up before it says so.
    if (done === before && this.#idle > 1 && this.#piece < PIECES.length - 1) this.#piece += 1
    const next = answer.headers.location === undefined ? url : await this.#session.uploadUrl(answer, url)
    return { url: next, done }
  }

  async #commit(url: URL): Promise<'uploaded' | 'again'> {
    const at = new URL(url)
    // The rest of the query is the registry's, and goes back as it came.
    at.search = `${url.search}${url.search === '' ? '?' : '&'}digest=${withPrefix(this.#blob.sha256)}`
    const { signal } = this.#options
    const headers = { 'content-type': 'application/octet-stream' }
    let answer: Answer
    try {
      answer = await this.#session.request({ method: 'PUT', at, headers, body: EMPTY, once: true, stallMs: COMMIT_STALL_MS, signal })
      await drop(answer)
    } catch (error) {
      if (!(error instanceof ExchangeFailed)) throw error
      return await this.#landed()
    }
    if (answer.status === 201 || answer.status === 204) {
      if (!saysDigest(answer, this.#blob.sha256)) throw registryFailure('registry-digest-differs', { sha256: this.#blob.sha256 })
      return 'uploaded'
    }
    if (answer.status === 429 || answer.status >= 500) return await this.#landed(answer)
    if ([400, 404, 416].includes(answer.status)) return await this.#pause('again')
    throw refusal(answer.status)
  }

  /** The answer is lost, not always what it was about. */
  async #landed(why?: Answer): Promise<'uploaded' | 'again'> {
    await this.#pause('again', why)
    return (await hasBlob(this.#session, this.#blob, this.#options.signal)) ? 'uploaded' : 'again'
  }

  async #pause<T>(then: T, why?: Answer): Promise<T> {
    const { pace } = this.#session
    this.#idle += 1
    this.#resumed += 1
    const asks = patience(why?.headers['retry-after'], pace)
    if (this.#idle >= pace.tries || this.#resumed > MAX_RESUMED || asks?.longer === true)
      throw registryFailure('registry-upload-failed', { sha256: this.#blob.sha256 })
    await pace.wait(asks?.ms ?? backoff(this.#idle, pace), this.#options.signal)
    return then
  }

  async *#counted(from: number, to: number): AsyncGenerator<Uint8Array, void, void> {
    let at = from
    for await (const part of this.#blob.open(from, to)) {
      yield part
      at += part.length
      this.#options.onBytes?.(at)
    }
  }
}

const EMPTY: Body = { size: 0, open: () => nothing() }

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

/** `0-99`, of which both ends are counted: 100 bytes arrived. Null for anything else. An upload without a byte is `0-0` to many. */
function received(range: string | string[] | undefined): number | null {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(typeof range === 'string' ? range : '')?.[1]
  if (last === undefined) return null
  return last === '0' ? 0 : Number(last) + 1
}

function refusal(status: number): ReturnType<typeof registryFailure> {
  if (status === 404) return registryFailure('registry-not-found', { status })
  return registryFailure(status >= 400 ? 'registry-refused' : 'registry-answer-malformed', { status, action: 'upload' })
}
