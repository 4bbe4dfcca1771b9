import { BUILD_SETTINGS } from './build.ts'
import { CONTENT_SETTINGS } from './content.ts'
import { OUTPUT_SETTINGS } from './output.ts'
import { RUNTIME_SETTINGS } from './runtime.ts'
import type { Setting } from './setting.ts'

/** Every setting of mkosi 25.3 and 27.1. What is not here is refused, so that a later mkosi's settings are looked at first. */
export const SETTINGS: readonly Setting[] = [...OUTPUT_SETTINGS, ...CONTENT_SETTINGS, ...BUILD_SETTINGS, ...RUNTIME_SETTINGS]

const BY_NAME = new Map<string, Setting>([
  ...SETTINGS.flatMap((setting) => setting.aliases.map((alias) => [alias, setting] as const)),
  ...SETTINGS.map((setting) => [setting.name, setting] as const),
])

/** By its name or an older one, case-sensitively as mkosi does. */
export function settingNamed(name: string): Setting | undefined {
  return BY_NAME.get(name)
}

/** Sections whose settings mkosi reads; it passes over any other without a word. */
export const SECTIONS: ReadonlySet<string> = new Set([...SETTINGS.map((setting) => setting.section), 'Host'])

/** Sections of conditions: the first pair decides whether a file counts, the second (since 26) whether mkosi goes on. */
export const MATCH_SECTIONS: ReadonlySet<string> = new Set(['Match', 'TriggerMatch'])
export const ASSERT_SECTIONS: ReadonlySet<string> = new Set(['Assert', 'TriggerAssert'])

/** A section that mkosi passes over without a word. */
export function isStrange(section: string): boolean {
  return !SECTIONS.has(section) && !MATCH_SECTIONS.has(section) && !ASSERT_SECTIONS.has(section)
}
