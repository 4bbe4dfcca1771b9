import type { InspectPorts } from '../app/inspect/inspect-ports.ts'
import type { WorkerPublicKey } from '../app/service/worker-public-key.ts'
import type { VerifyAttestationPorts } from '../app/verify-attestation.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { Environment } from '../config/setting.ts'
import type { Settings } from '../config/settings.ts'
import type { DeployRoom, TargetChoice } from '../deploy-room.ts'
import type { QuoteRoots } from '../inspect-room.ts'
import type { OperatorRoom } from '../operator-room.ts'
import type { RegistryRoom } from '../registry-room.ts'
import type { ScratchRoom } from '../scratch-room.ts'
import type { ServiceRoom } from '../service-room.ts'
import type { SigningRoom } from '../signing-room.ts'
import type { WorkerRoom } from '../worker-room.ts'
import type { Reading } from './cli-context.ts'
import type { UseCases } from './use-cases.ts'

/** Not every command has settings: they are loaded, with all that describes them, by those that do. */
async function settingsOf(environment: Environment): Promise<Settings> {
  const { readSettings } = await import('../config/settings.ts')
  return readSettings(environment)
}

/** Reads the settings and opens what they describe. The client of the engine is loaded here and not before. */
export async function openUseCases(environment: Environment): Promise<UseCases> {
  const settings = await settingsOf(environment)
  const { Context } = await import('../context.ts')
  return await Context.open(settings)
}

export async function readReading(environment: Environment): Promise<Reading> {
  const [{ sources, mkosi }, { sourceAccess }] = await Promise.all([settingsOf(environment), import('../config/source-access.ts')])
  return { access: sourceAccess(sources), mkosi }
}

export async function openScratch(): Promise<ScratchRoom> {
  const { openScratchRoom } = await import('../scratch-room.ts')
  return await openScratchRoom()
}

/** Reads the settings of signing. The libraries of Sigstore are loaded here and not before. */
export async function openSigning(environment: Environment, o: { readonly key: string | null }): Promise<SigningRoom> {
  const settings = await settingsOf(environment)
  const [{ SigningRoom }, { readCiIdentity }] = await Promise.all([import('../signing-room.ts'), import('../config/ci-identity.ts')])
  return new SigningRoom({ settings, ci: readCiIdentity(environment), key: o.key })
}

/** Reads no setting before something needs one: a file is verified on a machine that has none. */
export async function openVerifying(environment: Environment): Promise<VerifyAttestationPorts> {
  const { openVerifyingRoom } = await import('../verifying-room.ts')
  return openVerifyingRoom(environment)
}

/** What looks at running apps, through the gateways of the settings. */
export async function openInspecting(environment: Environment, o: QuoteRoots, signal: AbortSignal): Promise<Omit<InspectPorts, 'gate'>> {
  const settings = await settingsOf(environment)
  const { openInspectRoom } = await import('../inspect-room.ts')
  return await openInspectRoom(settings, o, signal)
}

/** Registries as the settings have them. */
export async function openRegistries(environment: Environment): Promise<RegistryRoom> {
  const settings = await settingsOf(environment)
  const { openRegistryRoom } = await import('../registry-room.ts')
  return await openRegistryRoom(settings)
}

/** A target, with what the settings have to show it. */
export async function openDeployingTo(environment: Environment, choice: TargetChoice, signal: AbortSignal): Promise<DeployRoom> {
  const settings = await settingsOf(environment)
  const { openDeployRoom } = await import('../deploy-room.ts')
  return await openDeployRoom(settings, choice, signal)
}

/** A service as the settings have it, and who we are to it. */
export async function openClientOf(environment: Environment, o: { readonly server: URL | null }): Promise<ApiClient> {
  const settings = await settingsOf(environment)
  const [{ openClient }, { readCiIdentity }] = await Promise.all([import('../client-room.ts'), import('../config/ci-identity.ts')])
  return openClient({ settings, ci: readCiIdentity(environment), server: o.server })
}

/** The store of the settings, for the operator. The database is loaded here and not before. */
export async function openOperatorOf(environment: Environment): Promise<OperatorRoom> {
  const settings = await settingsOf(environment)
  const { openOperator } = await import('../operator-room.ts')
  return await openOperator(settings)
}

export async function workerKeyOf(environment: Environment): Promise<WorkerPublicKey> {
  const settings = await settingsOf(environment)
  const { openWorkerKeyOf } = await import('../worker-key-room.ts')
  return (await openWorkerKeyOf(settings)).publicKey
}

/** The service of the settings, listening. Everything that it takes is loaded here and not before. */
export async function openServiceOf(
  environment: Environment,
  o: { readonly worker: boolean; readonly log: (line: string) => void; readonly debug: boolean },
): Promise<ServiceRoom> {
  const settings = await settingsOf(environment)
  const [{ ServiceRoom: Room }, { readCiIdentity }] = await Promise.all([import('../service-room.ts'), import('../config/ci-identity.ts')])
  return await Room.open({ ...o, settings, ci: readCiIdentity(environment) })
}

/** A worker as the settings have it. Everything that it takes is loaded here and not before. */
export async function openWorkerOf(
  environment: Environment,
  o: { readonly coordinator: URL | null; readonly log: (line: string) => void },
): Promise<WorkerRoom> {
  const settings = await settingsOf(environment)
  const { WorkerRoom: Room } = await import('../worker-room.ts')
  return await Room.open({ ...o, settings })
}
