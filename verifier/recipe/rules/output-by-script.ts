import { against, assigned, type Rule } from '../rule.ts'

const SCRIPTS = ['BuildScripts', 'PostInstallationScripts', 'FinalizeScripts', 'PrepareScripts', 'SyncScripts']

export const outputByScript: Rule = {
  id: 'output-by-script',
  severity: 'refuse',
  text: 'Every image of the recipe has Format=none, so whatever lies in the output folder was written by a script and not by mkosi.',
  remedy: 'Give the image a format, so that mkosi writes it.',
  *check(config, facts) {
    const formats = assigned(config, 'Format')
    const nothing = facts.images.every((image) => image.format === 'none') && formats.every((format) => format.value === 'none')
    const scripts = assigned(config, ...SCRIPTS).filter((script) => script.value !== '')
    if (!nothing || scripts.length === 0) return
    for (const format of formats) yield against(format, 'the output is what a script writes')
  },
}
