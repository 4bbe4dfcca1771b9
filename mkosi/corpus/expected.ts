import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { ArtifactFormat, LimitKind, Outcome } from '../../verifier/model/attempt.ts'
import { CheckVerdict } from '../../verifier/model/verdict.ts'

const Id = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)

/**
 * - `reproducible`: two attempts must agree.
 * - `fault`: one known cause of different bits.
 * - `hostile`: works against the verifier, its host or the reader of its report.
 * - `broken`: cannot be built.
 */
export const CaseKind = z.enum(['reproducible', 'fault', 'hostile', 'broken'])
export type CaseKind = z.infer<typeof CaseKind>

/** Tighter bounds for one case; what is absent is the runner's. */
export const CaseLimits = z.strictObject({
  seconds: z.int().positive().optional(),
  memoryMiB: z.int().positive().optional(),
  diskMiB: z.int().positive().optional(),
  outputMiB: z.int().positive().optional(),
  logMiB: z.int().positive().optional(),
  processes: z.int().positive().optional(),
})
export type CaseLimits = z.infer<typeof CaseLimits>

/** What is known about a recipe of the corpus: `cases/<label>/expected.json`. */
export const Expected = z
  .strictObject({
    label: Id,
    kind: CaseKind,
    /** One sentence for the reader of the table. */
    why: z.string().min(10).max(240),
    /** Faults only: `elsewhere` if one builder cannot show it, since it is the same there every time. */
    shows: z.enum(['here', 'elsewhere']).optional(),
    verdict: z.strictObject({ check: CheckVerdict }),
    /** Of every attempt that ran; null where none may run. */
    outcome: Outcome.nullable(),
    /** Code of an attempt's reason; null: not judged. */
    reason: z.string().nullable(),
    limit: LimitKind.nullable(),
    /** Recipe rules: the ones that refuse exactly, any others at least. */
    rules: z.array(Id),
    /** Explain rules that must be among the findings. */
    findings: z.array(Id),
    /** Of the artifact; null where there is none. */
    format: ArtifactFormat.nullable(),
    limits: CaseLimits.optional(),
    /** Seconds for the whole case on two cores, as last measured. */
    costs: z.number().nonnegative(),
  })
  .superRefine((expected, context) => {
    for (const problem of contradictions(expected)) context.addIssue({ code: 'custom', message: problem })
  })
export type Expected = z.infer<typeof Expected>

export type Case = {
  readonly expected: Expected
  /** Folder that is submitted; expected.json lies outside it, so that a label is not part of what it labels. */
  readonly recipe: string
}

/** Every case of the corpus, sorted by label. Rejects on the first one that is not what the schema says. */
export async function readCases(folder: string = path.join(import.meta.dirname, 'cases')): Promise<readonly Case[]> {
  const labels = (await readdir(folder)).toSorted()
  return await Promise.all(
    labels.map(async (label) => ({
      expected: Expected.parse(JSON.parse(await readFile(path.join(folder, label, 'expected.json'), 'utf8'))),
      recipe: path.join(folder, label, 'recipe'),
    })),
  )
}

type Stated = {
  kind: CaseKind
  shows?: string | undefined
  verdict: { check: CheckVerdict }
  outcome: Outcome | null
  limit: LimitKind | null
}

/** What a label may not say in one breath. */
function* contradictions({ kind, shows, verdict: { check }, outcome, limit }: Stated): Generator<string> {
  if ((kind === 'fault') !== (shows !== undefined)) yield 'faults, and only they, say where they show'
  if (shows === 'here' && check === 'repeatable') yield 'a fault that shows here does not repeat'
  if (shows === 'elsewhere' && check === 'nondeterministic') yield 'a fault that shows elsewhere cannot be seen here'
  if (kind === 'reproducible' && check !== 'repeatable') yield 'a reproducible case repeats'
  if (kind === 'broken' && check === 'repeatable') yield 'a broken case does not build'
  if ((check === 'refused') !== (outcome === null)) yield 'nothing runs of a refused recipe, and something of any other'
  if ((check === 'repeatable' || check === 'nondeterministic') && outcome !== 'built') yield 'attempts were built before they were compared'
  if ((outcome === 'limit') !== (limit !== null)) yield 'the outcome `limit`, and only it, names a limit'
}
