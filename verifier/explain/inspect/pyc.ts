import type { Inspection } from './signal.ts'

/** Header of a compiled Python file (PEP 552): magic, flags, then source time and size unless the flags say that it is by hash. */
export function inspectPyc(left: Buffer, right: Buffer): (Pick<Inspection, 'signals' | 'whole'> & { notes: string[] }) | null {
  if (left.length < 16 || right.length < 16) return null
  const byHash = ((left[4] ?? 0) & 1) === 1 || ((right[4] ?? 0) & 1) === 1
  const magic = (bytes: Buffer): number => bytes.readUInt32LE(0)
  if (magic(left) !== magic(right)) return { notes: [`magic ${hex(left)} → ${hex(right)}: another Python`], signals: [], whole: false }
  const [a, b] = [left.readUInt32LE(8), right.readUInt32LE(8)]
  if (byHash || a === b) return { notes: [], signals: [], whole: false }
  const whole = left.length === right.length && Buffer.compare(left.subarray(12), right.subarray(12)) === 0
  return { notes: [], signals: [{ id: 'pyc-time', evidence: `source time ${a} → ${b}` }], whole }
}

function hex(bytes: Buffer): string {
  return bytes.subarray(0, 4).toString('hex')
}
