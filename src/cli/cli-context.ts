import type { CommandContext } from '@stricli/core'
import type { SourceAccess } from '../../verifier/source/source-ref.ts'
import type { InspectPorts } from '../app/inspect/inspect-ports.ts'
import type { WorkerPublicKey } from '../app/service/worker-public-key.ts'
import type { VerifyAttestationPorts } from '../app/verify-attestation.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { DeployRoom, TargetChoice } from '../deploy-room.ts'
import type { QuoteRoots } from '../inspect-room.ts'
import type { OperatorRoom } from '../operator-room.ts'
import type { RegistryRoom } from '../registry-room.ts'
import type { ScratchRoom } from '../scratch-room.ts'
import type { ServiceRoom } from '../service-room.ts'
import type { SigningRoom } from '../signing-room.ts'
import type { WorkerRoom } from '../worker-room.ts'
import type { ExitCode } from './exit-code.ts'
import type { UseCases } from './use-cases.ts'

export type TextOut = { readonly write: (text: string) => void }
export type Out = { readonly write: (chunk: string | Uint8Array) => void }

/** What a source may be, and the version of mkosi that a recipe is read for. */
export type Reading = { readonly access: SourceAccess; readonly mkosi: string }

/** Everything that the command line takes from the process that it runs in. */
export type CliIo = {
  readonly stdout: Out
  readonly stderr: TextOut
  /** Whether stderr is a terminal that can rewrite a line. */
  readonly interactive: boolean
  /** Whether stdout is a terminal. */
  readonly terminal: boolean
  /** Whether stdout takes colours. */
  readonly color: boolean
  /** Of the terminal. */
  readonly columns: number
  /** Aborts when the caller interrupts. */
  readonly signal: AbortSignal
  /** Monotonic milliseconds. */
  readonly clock: () => number
  /** Of this package. */
  readonly version: () => Promise<string>
  /** Whether errors that are not ours show their own text, which may hold anything. */
  readonly debug: boolean
  /** Opens what stands behind the commands; called by commands that need it and by nothing else, since it loads the engine's client. */
  readonly open: () => Promise<UseCases>
  /** How the settings want sources and recipes read, for commands that open nothing else. */
  readonly reading: () => Promise<Reading>
  /** Room for commands that need no engine. */
  readonly scratch: () => Promise<ScratchRoom>
  /** What signs, for commands that need no engine. `key`: a file of a key that goes before what the settings say. */
  readonly signing: (o: { readonly key: string | null }) => Promise<SigningRoom>
  /** What verifying attestations needs, for commands that need no engine. */
  readonly verifying: () => Promise<VerifyAttestationPorts>
  /** What looks at running apps, but for the gate. */
  readonly inspecting: (o: QuoteRoots) => Promise<Omit<InspectPorts, 'gate'>>
  /** Registries, for commands that need no engine. */
  readonly registry: () => Promise<RegistryRoom>
  /** A target to deploy to, as the settings let us in. */
  readonly deploying: (choice: TargetChoice) => Promise<DeployRoom>
  /** What the operator of the service works on: its store, or the server that has it open. */
  readonly operator: () => Promise<OperatorRoom>
  /** The public key of this machine's worker, which is made where there is none. */
  readonly workerKey: () => Promise<WorkerPublicKey>
  /** The service of this home, listening. `worker`: whether this process builds as well, where there is an engine. */
  readonly service: (o: { readonly worker: boolean }) => Promise<Pick<ServiceRoom, 'facts' | 'serve' | typeof Symbol.asyncDispose>>
  /** A worker of this machine; `coordinator` goes before what the settings say. */
  readonly worker: (o: { readonly coordinator: URL | null }) => Promise<Pick<WorkerRoom, 'facts' | 'work' | typeof Symbol.asyncDispose>>
  /** A service; `server` goes before what the settings say. */
  readonly client: (o: { readonly server: URL | null }) => Promise<ApiClient>
}

/** What a command's function sees as `this`. */
export type CliContext = CommandContext & { readonly io: CliIo; readonly end: (code: ExitCode) => void }
