import { type Environment, readSettings } from '../config/settings.ts'
import type { ScratchRoom } from '../scratch-room.ts'
import type { UseCases } from './use-cases.ts'

/** Reads the settings and opens what they describe. The client of the engine is loaded here and not before. */
export async function openUseCases(environment: Environment): Promise<UseCases> {
  const settings = readSettings(environment)
  const { Context } = await import('../context.ts')
  return await Context.open(settings)
}

export async function openScratch(): Promise<ScratchRoom> {
  const { openScratchRoom } = await import('../scratch-room.ts')
  return await openScratchRoom()
}
