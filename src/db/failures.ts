import { Failure } from '../../verifier/model/failure.ts'

/** What the triggers of the schema raise. */
const FINAL = 'BW001'
/** The database chose between two transactions, or a row that was referred to went meanwhile: the loser may run again. */
const COLLISIONS = ['40001', '40P01', '23503', '55P03']
const LOST = /^(08...|57P0.|53300|CONNECTION_.*|CONNECT_TIMEOUT|ECONN.*|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|ENOENT|EHOSTUNREACH)$/

/**
 * A failure of ours for whatever the driver threw. Its texts hold statements with their parameters: nothing of it is kept but the code
 * (SQLSTATE, errno) and the name of the constraint.
 */
export function databaseFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { code, constraint } = factsOf(error)
  const data = { sqlstate: code, constraint }
  if (code === FINAL)
    return new Failure({
      code: 'record-final',
      message: 'what was recorded as final was to be changed',
      hint: 'this is a defect: report it; nothing was changed',
      audience: 'operator',
      data,
    })
  if (code !== null && COLLISIONS.includes(code))
    return new Failure({
      code: 'database-collision',
      message: 'the database chose another transaction over this one',
      hint: 'try again',
      audience: 'operator',
      retryable: true,
      data,
    })
  if (code !== null && LOST.test(code))
    return new Failure({
      code: 'database-unreachable',
      message: 'the database does not answer',
      hint: 'check that it runs, that DATABASE_URL leads to it, and that it takes more connections',
      audience: 'operator',
      retryable: true,
      data,
    })
  return new Failure({
    code: 'database-failed',
    message: `the database refused a statement (${code ?? 'without a code'})`,
    hint: 'look the code up among the SQLSTATEs of PostgreSQL; its own log has the statement',
    audience: 'operator',
    data,
  })
}

/** Whether what the driver threw says that the connection is gone, or was never there. */
export function isUnreachable(error: unknown): boolean {
  return databaseFailure(error).code === 'database-unreachable'
}

type Told = { readonly code?: unknown; readonly constraint_name?: unknown; readonly constraint?: unknown; readonly cause?: unknown }
type Facts = { readonly code: string | null; readonly constraint: string | null }

/** Drizzle wraps what the driver threw, and the queue tells of a copy; the two drivers name the constraint differently. */
function factsOf(error: unknown): Facts {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 4; depth += 1) {
    const { code, constraint_name, constraint, cause }: Told = at
    if (typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code)) return { code, constraint: named(constraint_name) ?? named(constraint) }
    at = cause
  }
  return { code: null, constraint: null }
}

function named(value: unknown): string | null {
  return typeof value === 'string' && /^[a-z0-9_]{1,63}$/.test(value) ? value : null
}
