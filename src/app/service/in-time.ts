import { Failure } from '../../../verifier/model/failure.ts'

/** Gives what the work gives, or fails with `answer-late` once that takes too long. The signal tells whatever of it goes on that it failed, or is late. */
export async function inTime<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const failed = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Failure({ code: 'answer-late', message: 'it could not be found out in time', hint: 'ask again', retryable: true }))
  }, ms)
  try {
    return await Promise.race([work(failed.signal), late])
  } catch (error) {
    failed.abort(error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
