import { parseReport } from '../../attestations/statement/parse-report.ts'
import { VerificationReport } from '../../verifier/model/report.ts'
import { parseStrictJson } from '../../verifier/model/strict-json.ts'
import { visible } from '../../verifier/model/visible.ts'
import { claimsOf } from '../app/claimed-location.ts'
import type { SubmittedAnswer, VerificationAnswer } from '../client/answers.ts'
import type { ApiClient } from '../client/api-client.ts'
import { followEvents } from '../client/follow-events.ts'
import { signedVerification } from '../client/signed-verification.ts'
import { SubmissionDocument } from '../client/submission-document.ts'
import { submit } from '../client/submit.ts'
import type { LocalBytes } from '../client/submitted-source.ts'
import { formatSize } from '../config/size.ts'
import type { CliIo } from './cli-context.ts'
import type { SubmitFlags } from './commands/submit.ts'
import { EXIT, type ExitCode, exitOfVerdict } from './exit-code.ts'
import { LogTail } from './log-tail.ts'
import { printAnswer, writeDocument } from './output.ts'
import { showProgress } from './progress.ts'
import { reportLines } from './render/report.ts'
import { placeOf, submittedLines, unreportedLines } from './render/submitted.ts'
import { requireReportFile } from './report-file.ts'

/** Cancelling is not to wait for what is away, ms. */
const CANCEL_MS = 10_000

export async function runSubmit(io: CliIo, flags: SubmitFlags, source: string): Promise<ExitCode> {
  await requireReportFile(flags.report)
  const client = await io.client({ server: flags.server ?? null })
  const submitted = await send(io, { client, flags, source })
  const { id } = submitted.verification
  const say = (text: string): void => io.stderr.write(`${text}\n`)
  say(`${submitted.joined ? 'joined' : 'submitted'} ${id}`)
  say(`  ${placeOf(submitted.verification, client.url(''))}`)
  if (submitted.notice !== null) say(`  ${visible(submitted.notice)}`)
  const tail = new LogTail()
  const verification = flags.noWait ? submitted.verification : await followed(io, { client, flags, id, tail })
  const report = await reportOf(client, verification, io.signal)
  const { verdict, tier } = verification
  const { joined, notice } = submitted
  const document: SubmissionDocument = { schema: 'bitwitness/submission/v1', verdict, tier, joined, notice, verification, report }
  await printAnswer(io, {
    json: flags.json,
    schema: SubmissionDocument,
    value: document,
    lines: () => [
      ...(report === null ? unreportedLines(verification, io) : reportLines(report, { color: io.color, tail })),
      ...submittedLines(document, client.url('')),
    ],
  })
  if (flags.report !== undefined && report !== null) await writeDocument(flags.report, VerificationReport, report)
  return exitOf(verification)
}

async function send(io: CliIo, o: { client: ApiClient; flags: SubmitFlags; source: string }): Promise<SubmittedAnswer> {
  const { flags, source, client } = o
  const claimed = flags.claimed ?? null
  const claims = claimsOf(flags.claim ?? [], claimed).map((claim) => ({ ...claim, location: claim.location ?? claimed }))
  const { lock = null, inputs = null, builder = null, maxAge = null, callback = null, attempts } = flags
  await using scratch = await io.scratch()
  const onUpload = ({ what, blob }: LocalBytes, done: boolean): void =>
    io.stderr.write(`${done ? 'sent' : 'sending'} ${what}, ${formatSize(blob.size)}\n`)
  return await submit(
    { client, scratch: scratch.path, onUpload, signal: io.signal },
    { source, claims, lock, inputs, attempts, builder, maxAge, callback },
  )
}

/** The verification once it is over. Where the caller interrupts, it goes on, unless it was to be cancelled then. */
async function followed(io: CliIo, o: { client: ApiClient; flags: SubmitFlags; id: string; tail: LogTail }): Promise<VerificationAnswer> {
  const { client, flags, id, tail } = o
  const progress = showProgress(io, { verbose: flags.verbose })
  try {
    await followEvents({
      url: client.url(`v1/verifications/${id}/events`),
      onEvent: tail.before(progress.emit),
      onLost: () => io.stderr.write('the connection was lost; it is made again\n'),
      signal: io.signal,
    })
    return await signedVerification(client, id, io.signal)
  } catch (error) {
    progress.close()
    if (io.signal.aborted) await interrupted(io, o)
    throw error
  } finally {
    progress.close()
  }
}

async function interrupted(io: CliIo, { client, flags, id }: { client: ApiClient; flags: SubmitFlags; id: string }): Promise<void> {
  if (flags.cancelOnInterrupt) {
    await client.cancel(id, AbortSignal.timeout(CANCEL_MS))
    io.stderr.write(`cancelled ${id}\n`)
    return
  }
  io.stderr.write(`${id} goes on: the same command follows it again, and --cancel-on-interrupt would have cancelled it\n`)
}

async function reportOf(client: ApiClient, { report }: VerificationAnswer, signal: AbortSignal): Promise<VerificationReport | null> {
  return report === null ? null : parseReport(parseStrictJson(await client.blob(report, signal)))
}

function exitOf({ state, verdict }: VerificationAnswer): ExitCode {
  return state === 'finished' || state === 'cancelled' ? exitOfVerdict(verdict) : EXIT.yes
}
