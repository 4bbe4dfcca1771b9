import type { Settings } from '../../src/config/settings.ts'
import { Context } from '../../src/context.ts'
import type { AttemptEvent } from '../../verifier/model/event.ts'
import type { CaseLimits } from './expected.ts'
import type { CheckCase } from './run.ts'

const MIB = 1024 ** 2
/** A case without limits of its own may take this long; none needs it. */
const SECONDS = 300

/** Checks cases as the command line would, with the engine and the home that the settings name. */
export function checkWith(settings: Settings, signal: AbortSignal, emit: (event: AttemptEvent) => void = () => {}): CheckCase {
  return async (recipe, limits) => {
    await using context = await Context.open({ ...settings, ...limited(settings, limits) })
    const unlocked = { lock: null, inputs: null, builder: null, snapshot: null }
    return await context.check({ source: recipe, attempts: 2, ...unlocked, signal, emit })
  }
}

function limited(settings: Settings, limits: CaseLimits): Partial<Settings> {
  const bytes = (mebibytes: number | undefined, otherwise: number): number => (mebibytes === undefined ? otherwise : mebibytes * MIB)
  return {
    limitTime: limits.seconds ?? SECONDS,
    limitProcesses: limits.processes ?? settings.limitProcesses,
    limitMemory: bytes(limits.memoryMiB, settings.limitMemory),
    limitDisk: bytes(limits.diskMiB, settings.limitDisk),
    limitOutput: bytes(limits.outputMiB, settings.limitOutput),
    limitLog: bytes(limits.logMiB, settings.limitLog),
  }
}
