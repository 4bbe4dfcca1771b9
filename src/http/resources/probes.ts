import type { Readiness } from '../../app/service/readiness.ts'
import type { Part } from '../app.ts'
import { answerJson } from '../json-answer.ts'

export type ProbePorts = {
  readonly readiness: () => Promise<Readiness>
  /** In the form of Prometheus; null where they could not be collected. */
  readonly metrics: { readonly contentType: string; text(): Promise<string | null> }
}

/**
 * For those who run the service: `/healthz` is whether this process answers at all, `/readyz` whether it can serve and what stands in the
 * way, `/metrics` its figures. They read nothing that is not kept for a moment, so that asking them often costs nothing.
 */
export function probes({ readiness, metrics }: ProbePorts): Part {
  return (app) => {
    app.get('/healthz', (c) => c.text('ok\n', 200, { 'Cache-Control': 'no-store' }))
    app.get('/readyz', async (c) => {
      const found = await readiness()
      c.header('Cache-Control', 'no-store')
      return answerJson(c, found, found.ready ? 200 : 503)
    })
    app.get('/metrics', async (c) => {
      const text = await metrics.text()
      return c.body(text ?? '', text === null ? 503 : 200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' })
    })
  }
}
