import { latin1 } from '../../tar/bytes.ts'
import { printableLatin1 } from './printable.ts'
import type { Inspection, Signal } from './signal.ts'

/** Explanations are published: what these hold is named, never shown. */
const SECRET_PATHS = [
  /^etc\/g?shadow-?$/,
  /^etc\/ssh\/ssh_host_[^/]*key$/,
  /^var\/lib\/systemd\/(?:random-seed|credential\.secret)$/,
  /^var\/lib\/private\//,
  /^etc\/credstore/,
  /^etc\/(?:ssl\/private|ipsec\.d\/private)\//,
  /\/\.(?:ssh|gnupg)\/(?!known_hosts|authorized_keys)/,
]
const SECRET_CONTENT = /-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY|AGE-SECRET-KEY-|openssh-key-v1/

/** Whether nothing of the content may be shown. */
export function isSecret(path: string, contents: readonly Uint8Array[]): boolean {
  if (SECRET_PATHS.some((pattern) => pattern.test(path))) return true
  return contents.some((bytes) => SECRET_CONTENT.test(latin1(bytes)))
}

type Account = { readonly hash: string; readonly changed: string; readonly rest: string }

function accounts(text: string): Map<string, Account> {
  return new Map(
    text.split('\n').map((line) => {
      const [name = '', hash = '', changed = '', ...rest] = line.split(':')
      return [name, { hash, changed, rest: rest.join(':') }]
    }),
  )
}

const MAX_NAMED = 10

/** Compares shadow(5) account by account without telling a hash. */
export function inspectShadow(left: Uint8Array, right: Uint8Array): Inspection {
  const [a, b] = [accounts(latin1(left)), accounts(latin1(right))]
  const names = [...new Set([...a.keys(), ...b.keys()])]
  const notes: string[] = []
  const signals = new Map<string, Signal>()
  let whole = [...a.keys()].join('\n') === [...b.keys()].join('\n')
  for (const name of names) {
    const [one, other] = [a.get(name), b.get(name)]
    const account = printableLatin1(name, 40)
    if (one === undefined || other === undefined) {
      notes.push(`account ${account} ${one === undefined ? 'added' : 'removed'}`)
      continue
    }
    if (one.rest !== other.rest) whole = false
    if (one.hash !== other.hash) {
      // Setting or locking a password is no matter of a salt.
      if (isHash(one.hash) && isHash(other.hash)) {
        if (!signals.has('hash')) signals.set('hash', { id: 'password-hash', evidence: `the hash of ${account} differs (not shown)` })
      } else whole = false
      notes.push(`password of ${account} differs`)
    }
    if (one.changed !== other.changed) {
      const evidence = `${account}: day ${printableLatin1(one.changed, 10)} → ${printableLatin1(other.changed, 10)}`
      if (!signals.has('date')) signals.set('date', { id: 'password-date', evidence })
    }
  }
  const named = notes.slice(0, MAX_NAMED)
  if (notes.length > named.length) named.push(`and ${notes.length - named.length} more`)
  return {
    detail: { format: 'withheld', diff: null, diffOmitted: 0, notes: named, firstDifference: null },
    signals: [...signals.values()],
    whole: whole && signals.size > 0,
  }
}

function isHash(field: string): boolean {
  return /^!?\$/.test(field)
}
