import { type Application, buildRouteMap, type CommandContext, generateHelpTextForAllCommands } from '@stricli/core'
import { applicationOf } from './application.ts'
import { attestationRoutes } from './attestation-app.ts'
import type { CliContext } from './cli-context.ts'
import { attest } from './commands/attest.ts'
import { attach } from './commands/attestation/attach.ts'
import { blob } from './commands/blob.ts'
import { build } from './commands/build.ts'
import { buildBuilder } from './commands/builder/build.ts'
import { exportBuilder } from './commands/builder/export.ts'
import { importBuilder } from './commands/builder/import.ts'
import { listBuilders } from './commands/builder/list.ts'
import { showBuilder } from './commands/builder/show.ts'
import { changes } from './commands/changes.ts'
import { check } from './commands/check.ts'
import { createComposeFiles } from './commands/compose/create.ts'
import { hashComposeFile } from './commands/compose/hash.ts'
import { lintComposeFile } from './commands/compose/lint.ts'
import { deploy } from './commands/deploy.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain.ts'
import { exportProof } from './commands/export.ts'
import { askGateCommand } from './commands/gate/ask.ts'
import { gateImpact } from './commands/gate/impact.ts'
import { inspect } from './commands/inspect.ts'
import { showKey } from './commands/key/show.ts'
import { checkPolicy } from './commands/policy/check.ts'
import { explainPolicyFile } from './commands/policy/explain.ts'
import { exportPolicyFile } from './commands/policy/export.ts'
import { pull } from './commands/pull.ts'
import { push } from './commands/push.ts'
import { lint } from './commands/recipe/lint.ts'
import { sbom } from './commands/sbom.ts'
import { serve } from './commands/serve.ts'
import { submit } from './commands/submit.ts'
import { createToken } from './commands/token/create.ts'
import { listTokens } from './commands/token/list.ts'
import { revokeToken } from './commands/token/revoke.ts'
import { verify } from './commands/verify.ts'
import { version } from './commands/version.ts'
import { addWorker } from './commands/worker/add.ts'
import { showWorkerKey } from './commands/worker/key.ts'
import { listWorkers } from './commands/worker/list.ts'
import { revokeWorker } from './commands/worker/revoke.ts'
import { runWorker } from './commands/worker/run.ts'

const builder = buildRouteMap<string, CliContext>({
  routes: { build: buildBuilder, list: listBuilders, show: showBuilder, export: exportBuilder, import: importBuilder },
  docs: { brief: 'Make, show and carry the image that recipes are built in' },
})

const recipe = buildRouteMap<string, CliContext>({ routes: { lint }, docs: { brief: 'Read recipes without running them' } })

const compose = buildRouteMap<string, CliContext>({
  routes: { lint: lintComposeFile, hash: hashComposeFile, create: createComposeFiles },
  docs: { brief: 'What dstack measures and runs' },
})

const policy = buildRouteMap<string, CliContext>({
  routes: { check: checkPolicy, explain: explainPolicyFile, export: exportPolicyFile },
  docs: { brief: 'What the gate asks for' },
})

const gate = buildRouteMap<string, CliContext>({
  routes: { ask: askGateCommand, impact: gateImpact },
  defaultCommand: 'ask',
  docs: { brief: 'Ask whether a policy lets an image, or an app, start, and what another policy would do' },
})

const key = buildRouteMap<string, CliContext>({ routes: { show: showKey }, docs: { brief: 'The key that statements are signed with' } })

const token = buildRouteMap<string, CliContext>({
  routes: { create: createToken, list: listTokens, revoke: revokeToken },
  docs: { brief: 'API tokens of the service' },
})

const worker = buildRouteMap<string, CliContext>({
  routes: { run: runWorker, add: addWorker, list: listWorkers, revoke: revokeWorker, key: showWorkerKey },
  defaultCommand: 'run',
  docs: { brief: 'Machines that run attempts for the service' },
})

const attestation = attestationRoutes({ attach })

/** Every command there is. */
export const root = buildRouteMap<string, CliContext>({
  routes: {
    verify,
    submit,
    serve,
    check,
    build,
    push,
    pull,
    attest,
    attestation,
    export: exportProof,
    key,
    sbom,
    builder,
    recipe,
    compose,
    policy,
    gate,
    inspect,
    deploy,
    explain,
    changes,
    blob,
    token,
    worker,
    doctor,
    version,
  },
  docs: { brief: 'Rebuild mkosi images from source and say whether the bits match' },
})

/** The help screen of every command, with its full name. */
export function allScreens(): readonly (readonly [command: string, text: string])[] {
  // The function only reads the texts: what the commands take as context does not matter to it.
  return generateHelpTextForAllCommands(applicationOf(root, () => {}) as unknown as Application<CommandContext>)
}
