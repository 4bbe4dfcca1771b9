import { buildRouteMap, type Command, type RouteMap } from '@stricli/core'
import type { CliContext } from './cli-context.ts'
import { verifyAttestation } from './commands/attestation/verify.ts'

/** The commands about attestations: verifying, and what is beside it. */
export function attestationRoutes(others: Readonly<Record<string, Command<CliContext>>>): RouteMap<CliContext> {
  return buildRouteMap<string, CliContext>({
    routes: { verify: verifyAttestation, ...others },
    docs: { brief: 'Signed statements about artifacts' },
  })
}

/**
 * The one command that is run again and again, in other programs' pipelines, and takes no longer than loading it takes: without the schemas
 * and texts of all the others. What it says and takes is the same.
 */
export const root = buildRouteMap<string, CliContext>({
  routes: { attestation: attestationRoutes({}) },
  docs: { brief: 'Verify attestations' },
})
