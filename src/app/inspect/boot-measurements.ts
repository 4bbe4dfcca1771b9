import { z } from 'zod'
import { jsonOfFile } from '../../../verifier/bytes/named-file.ts'
import { readSmallFile } from '../../../verifier/bytes/small-file.ts'
import { Sha256 } from '../../../verifier/model/digest.ts'
import { Failure } from '../../../verifier/model/failure.ts'
import { shownName } from '../../../verifier/model/shown-name.ts'
import type { TdQuote } from './td-quote.ts'

const register = z
  .string()
  .regex(/^[0-9a-fA-F]{96}$/)
  .transform((text) => text.toLowerCase())

/** What `dstack-mr measure --json` says of a guest image on one shape of machine, with the os_image_hash of the image that was measured. */
const BootMeasurement = z
  .object({ os_image_hash: Sha256, mrtd: register, rtmr0: register, rtmr1: register, rtmr2: register })
  .transform(({ os_image_hash: osImageHash, mrtd, rtmr0, rtmr1, rtmr2 }) => ({
    osImageHash,
    registers: [mrtd, rtmr0, rtmr1, rtmr2] as const,
  }))
export type BootMeasurement = z.infer<typeof BootMeasurement>

/** One, or several: each shape of machine has its own. */
const BootMeasurements = z.union([BootMeasurement.transform((one) => [one]), z.array(BootMeasurement).min(1).max(1000)])

const MOST_BYTES = 1 << 20

/** Reads measurements from a file. Fails with `measurements-unread`, `measurements-malformed`, and as `parseStrictJson`. */
export async function readBootMeasurements(file: string, signal: AbortSignal): Promise<readonly BootMeasurement[]> {
  const read = await readSmallFile(file, { maxBytes: MOST_BYTES, signal })
  if (read.bytes === null)
    throw new Failure({
      code: 'measurements-unread',
      message: read.why === 'too-large' ? 'the file of measurements is too large' : `${shownName(file)} cannot be read`,
      hint: 'give the JSON of dstack-mr measure; docs/inspect.md says how',
      cause: read.cause,
    })
  const measured = BootMeasurements.safeParse(jsonOfFile(read.bytes, file))
  if (measured.success) return measured.data
  throw new Failure({
    code: 'measurements-malformed',
    message: 'these are no measurements of a guest image',
    hint: 'give mrtd, rtmr0, rtmr1 and rtmr2 as dstack-mr measure --json prints them, and os_image_hash beside them; docs/inspect.md shows one',
  })
}

/** The measurement that the registers of a quote are; undefined where it is none of them. A pure function. */
export function measurementOf(
  measured: readonly BootMeasurement[],
  { mrtd, rtmrs }: Pick<TdQuote, 'mrtd' | 'rtmrs'>,
): BootMeasurement | undefined {
  const seen = [mrtd, rtmrs[0], rtmrs[1], rtmrs[2]]
  return measured.find(({ registers }) => registers.every((one, index) => one === seen[index]))
}
