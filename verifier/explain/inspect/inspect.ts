import { latin1 } from '../../tar/bytes.ts'
import type { ByteView } from '../byte-view.ts'
import type { ExplainLimits } from '../limits.ts'
import { inspectAr } from './ar.ts'
import { firstWindow, inspectBinary } from './binary.ts'
import { firstDifference } from './byte-ranges.ts'
import { inspectElf } from './inspect-elf.ts'
import { inspectPyc } from './pyc.ts'
import { inspectShadow, isSecret } from './secrets.ts'
import type { Inspection } from './signal.ts'
import { inspectText, isText } from './text.ts'
import { gzipTime, unpack } from './unpack.ts'
import { inspectZip } from './zip.ts'

export type InspectOptions = {
  /** One character a byte. */
  readonly path: string
  readonly left: ByteView
  readonly right: ByteView
  readonly limits: ExplainLimits
  readonly signal?: AbortSignal | undefined
}

/** Looks into two differing contents of one path. What is in them is data: nothing is run, and all that is shown is escaped. */
export async function inspect(o: InspectOptions): Promise<Inspection> {
  const { left, right, limits } = o
  if (isSecret(o.path, [])) return inspectSecret(o)
  if (Math.max(left.size, right.size) > limits.maxFileSize) return inspectLarge(o)
  const [a, b] = [await left.read(0, left.size), await right.read(0, right.size)]
  if (isSecret(o.path, [a, b])) return withheld()
  const format = formatOf(o.path, a)
  if (format === formatOf(o.path, b)) {
    if (format === 'gzip' || format === 'zstd') return inspectPacked(o, format, a, b)
    if (format === 'elf') return described('elf', await inspectElf(left, right), a, b, limits)
    if (format === 'ar') return described('ar', inspectAr(a, b), a, b, limits)
    if (format === 'zip') return described('zip', inspectZip(a, b), a, b, limits)
    if (format === 'pyc') return described('pyc', inspectPyc(a, b), a, b, limits)
  }
  return inspectPlain(a, b, limits)
}

function inspectPlain(a: Uint8Array, b: Uint8Array, limits: ExplainLimits): Inspection {
  const texts = Math.max(a.length, b.length) <= limits.maxTextSize && isText(a) && isText(b)
  return texts ? inspectText(a, b, limits) : inspectBinary(a, b, limits)
}

type Format = 'gzip' | 'zstd' | 'elf' | 'ar' | 'zip' | 'pyc'

function formatOf(path: string, bytes: Uint8Array): Format | null {
  const head = latin1(bytes.subarray(0, 8))
  if (head.startsWith('\x1f\x8b\x08')) return 'gzip'
  if (head.startsWith('\x28\xb5\x2f\xfd')) return 'zstd'
  if (head.startsWith('\x7fELF')) return 'elf'
  if (head === '!<arch>\n') return 'ar'
  if (head.startsWith('PK\x03\x04')) return 'zip'
  return path.endsWith('.pyc') ? 'pyc' : null
}

/** What a format's reader saw; where it could say nothing whole, what the plain bytes say as well. */
function described(
  format: 'elf' | 'ar' | 'zip' | 'pyc',
  seen: (Pick<Inspection, 'signals' | 'whole'> & { readonly notes: readonly string[] }) | null,
  a: Uint8Array,
  b: Uint8Array,
  limits: ExplainLimits,
): Inspection {
  const plain = inspectBinary(a, b, limits)
  if (seen === null) return plain
  const detail = { ...plain.detail, format, notes: [...seen.notes, ...plain.detail.notes] }
  return seen.whole || !plain.whole ? { detail, signals: seen.signals, whole: seen.whole } : { detail, signals: plain.signals, whole: true }
}

async function inspectPacked(o: InspectOptions, format: 'gzip' | 'zstd', a: Buffer, b: Buffer): Promise<Inspection> {
  const detail = { format, diff: null, diffOmitted: 0, notes: [] as string[], firstDifference: firstWindow(a, b) }
  const signals: Inspection['signals'][number][] = []
  const [timeLeft, timeRight] = format === 'gzip' ? [gzipTime(a), gzipTime(b)] : [0, 0]
  if (timeLeft !== timeRight) signals.push({ id: 'gzip-time', evidence: `time in the header ${timeLeft} → ${timeRight}` })
  const restEqual = a.length === b.length && Buffer.compare(a.subarray(8), b.subarray(8)) === 0
  if (signals.length > 0 && restEqual && Buffer.compare(a.subarray(0, 4), b.subarray(0, 4)) === 0) return { detail, signals, whole: true }
  const [inLeft, inRight] = [await unpack(format, a, o.limits.maxUnpackedSize), await unpack(format, b, o.limits.maxUnpackedSize)]
  if (inLeft === null || inRight === null)
    return { detail: { ...detail, notes: ['cannot be unpacked within bounds'] }, signals: [], whole: false }
  if (Buffer.compare(inLeft, inRight) === 0)
    return { detail, signals: [...signals, { id: 'recompressed', evidence: 'equal when unpacked' }], whole: true }
  if (isSecret(o.path, [inLeft, inRight])) return withheld()
  const inner = inspectPlain(inLeft, inRight, o.limits)
  return {
    detail: { ...inner.detail, format, notes: [`unpacked: ${inner.detail.format}`, ...inner.detail.notes] },
    signals: [...signals, ...inner.signals],
    whole: inner.whole,
  }
}

async function inspectSecret(o: InspectOptions): Promise<Inspection> {
  const small = Math.max(o.left.size, o.right.size) <= o.limits.maxTextSize
  if (!/^etc\/shadow-?$/.test(o.path) || !small) return withheld()
  return inspectShadow(await o.left.read(0, o.left.size), await o.right.read(0, o.right.size))
}

function withheld(): Inspection {
  const notes = ['holds a secret: not shown']
  return { detail: { format: 'withheld', diff: null, diffOmitted: 0, notes, firstDifference: null }, signals: [], whole: false }
}

const CHUNK = 1024 * 1024

/** Finds only the first difference, and the sections of ELF files. */
async function inspectLarge(o: InspectOptions): Promise<Inspection> {
  const elf = await inspectElf(o.left, o.right)
  const notes = [...(elf?.notes ?? []), `${o.left.size} → ${o.right.size} bytes`]
  let offset = Math.min(o.left.size, o.right.size)
  for (let at = 0; at < offset; at += CHUNK) {
    o.signal?.throwIfAborted()
    const length = Math.min(CHUNK, offset - at)
    const found = firstDifference(await o.left.read(at, length), await o.right.read(at, length))
    if (found === -1) continue
    offset = at + found
    break
  }
  const window = { ...firstWindow(await o.left.read(offset, 16), await o.right.read(offset, 16)), offset }
  return {
    detail: { format: elf === null ? 'too-large' : 'elf', diff: null, diffOmitted: 0, notes, firstDifference: window },
    signals: elf?.signals ?? [],
    whole: elf?.whole ?? false,
  }
}
