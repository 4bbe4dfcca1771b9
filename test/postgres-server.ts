import type { TestProject } from 'vitest/node'
import { findPostgres, startPostgres } from './postgres-cluster.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the suite's PostgreSQL server; null where none is installed. */
    readonly postgres: string | null
  }
}

/** Starts one server for all files of the suite; each makes databases of its own in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = await findPostgres()
  if (programs === undefined) {
    project.provide('postgres', null)
    return async () => {}
  }
  const cluster = await startPostgres(programs)
  project.provide('postgres', cluster.url)
  return async () => {
    await cluster[Symbol.asyncDispose]()
  }
}
