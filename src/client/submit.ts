import { createHash } from 'node:crypto'
import { Failure } from '../../verifier/model/failure.ts'
import { sha256Of } from '../../verifier/model/hex-digest.ts'
import { SubmissionRequest } from '../app/service/api-documents.ts'
import type { SubmittedAnswer } from './answers.ts'
import type { ApiClient } from './api-client.ts'
import { type LocalBytes, localBytes, submittedSource } from './submitted-source.ts'

export type SubmitCommand = {
  readonly source: string
  readonly claims: SubmissionRequest['claims']
  /** Files of this machine. */
  readonly lock: string | null
  readonly inputs: string | null
  readonly attempts: number
  readonly builder: SubmissionRequest['builder']
  readonly maxAge: number | null
  readonly callback: string | null
}

export type SubmitPorts = {
  readonly client: Pick<ApiClient, 'submit' | 'upload'>
  /** A private folder. */
  readonly scratch: string
  /** Bytes that the service lacked are being sent, or were. */
  readonly onUpload: (bytes: LocalBytes, done: boolean) => void
  readonly signal: AbortSignal
}

/** An answer of before that says nothing is asked for again so often. */
const CHAIN = 20

/**
 * Submits, with the bytes that the service lacks. The key of the request is made from the request: a job that is run again joins what it
 * began. Where that was cancelled, or could not find out, it is asked anew. Failures: those of the source, the files and the service.
 */
export async function submit(ports: SubmitPorts, command: SubmitCommand): Promise<SubmittedAnswer> {
  const { scratch, signal } = ports
  const { source, bytes } = await submittedSource(command.source, { scratch, signal })
  const lock = command.lock === null ? null : await localBytes('the lock', command.lock, signal)
  const inputs = command.inputs === null ? null : await localBytes('the inputs', command.inputs, signal)
  const { claims, attempts, builder, maxAge, callback } = command
  const named = { source, claims, lock: lock?.sha256 ?? null, inputs: inputs?.sha256 ?? null, attempts, builder, maxAge, callback }
  const request = SubmissionRequest.safeParse(named)
  if (!request.success)
    throw new Failure({
      code: 'submission-malformed',
      message: 'a value is longer, or another, than a service takes',
      hint: 'look at the source, the names and the callback, which has to be an https URL',
    })
  const local = [bytes, lock, inputs].filter((one) => one !== null)
  let key = keyOf(JSON.stringify(request.data))
  for (let times = 1; ; times += 1) {
    const answer = await submitOnce(ports, request.data, key, local)
    const { id, state, verdict } = answer.verification
    const answers = !answer.joined || (state !== 'cancelled' && verdict !== 'undecided')
    if (answers || times === CHAIN) return answer
    key = keyOf(`${key} ${id}`)
  }
}

/** The service says what it lacks by refusing; bytes that it has are not sent. */
async function submitOnce(
  { client, onUpload, signal }: SubmitPorts,
  request: SubmissionRequest,
  key: string,
  local: readonly LocalBytes[],
): Promise<SubmittedAnswer> {
  const left = [...local]
  for (;;) {
    try {
      return await client.submit(request, key, signal)
    } catch (error) {
      const next = left.shift()
      if (!(error instanceof Failure && error.code === 'upload-unknown') || next === undefined) throw error
      onUpload(next, false)
      await client.upload(next.blob, next.sha256, signal)
      onUpload(next, true)
    }
  }
}

function keyOf(text: string): string {
  return sha256Of(createHash('sha256').update(text))
}
