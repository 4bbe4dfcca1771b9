import { buildRouteMap } from '@stricli/core'
import type { CliContext } from './cli-context.ts'
import { verifyAttestation } from './commands/attestation/verify.ts'

/**
 * The one command that is run again and again, in other programs' pipelines, and takes no longer than loading it takes: without the schemas
 * and texts of all the others. What it says and takes is the same.
 */
export const root = buildRouteMap<string, CliContext>({
  routes: {
    attestation: buildRouteMap<string, CliContext>({
      routes: { verify: verifyAttestation },
      docs: { brief: 'Signed statements about artifacts' },
    }),
  },
  docs: { brief: 'Verify attestations' },
})
