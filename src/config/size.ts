const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** Reads `4G`, `512M`, `65536` as bytes; units are powers of 1024. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^([1-9]\d{0,14})([KMGT]?)$/.exec(text)
  const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Reads `90`, `90s`, `30m`, `2h` as seconds. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,6})([smh]?)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * ({ m: 60, h: 3600 }[match[2] ?? ''] ?? 1)
}

/** `1.5 GiB`, `317 B`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
