import { absolutePath, type Setting } from './setting.ts'
import { parseDuration } from './size.ts'

/** How a service looks at what was deployed. */
export const OBSERVE_SETTINGS = {
  observeEvery: {
    variable: 'BITWITNESS_OBSERVE_EVERY',
    about: 'How often `serve` looks at each app that it deployed, or that was announced to it.',
    form: 'from 1m to 7d: seconds, or a number with s, m or h',
    otherwise: '1h',
    fallback: (): number => 3600,
    read: (text: string): number | undefined => {
      const seconds = parseDuration(text)
      return seconds !== undefined && seconds >= 60 && seconds <= 7 * 86_400 ? seconds : undefined
    },
  },
  collateral: {
    variable: 'BITWITNESS_COLLATERAL',
    about: 'Intel’s collateral that `serve` holds quotes of observed apps against. See [inspect.md](inspect.md).',
    form: 'the absolute path of a file, or the URL of a PCCS',
    otherwise: 'none: no quote is verified, and no observation says more than `unproven`',
    fallback: (): string | null => null,
    read: (text: string): string | undefined => (/^https?:\/\/\S{1,2000}$/i.test(text) ? text : absolutePath(text)),
  },
  simulatedRoot: {
    variable: 'BITWITNESS_SIMULATED_ROOT',
    about: 'A public key that stands in for Intel’s, to try things out: whatever is observed by it is `simulated`.',
    form: 'the absolute path of a PEM file',
    otherwise: 'none',
    fallback: (): string | null => null,
    read: absolutePath,
  },
  measurements: {
    variable: 'BITWITNESS_MEASUREMENTS',
    about: 'What guest images measure to, as `inspect --measurements` takes it.',
    form: 'the absolute path of a JSON file',
    otherwise: 'none: what a guest says of its boot is told as claimed',
    fallback: (): string | null => null,
    read: absolutePath,
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>
