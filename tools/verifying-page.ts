import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PREDICATE_TYPE } from '../attestations/statement/predicate-types.ts'
import type { RequiredSigner } from '../attestations/verify/policy.ts'
import { DIGEST } from '../attestations/verify/testing/case-world.ts'
import { CASES } from '../attestations/verify/testing/cases.ts'
import type { InteropCase } from '../attestations/verify/testing/interop-case.ts'
import { cosignArguments, sigstoreGoArguments } from '../attestations/verify/testing/other-tools.ts'
import { SIGNER } from '../attestations/verify/testing/paper-sigstore.ts'

const file = path.join(import.meta.dirname, '..', 'docs', 'verifying.md')

/** docs/verifying.md: written by hand but for the commands and the table, which are those that the tests run. */
export function verifyingPage(): string {
  return filled(filled(readFileSync(file, 'utf8'), 'commands', commands()), 'table', table())
}

function filled(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name}: made by \`npm run generate\` -->`, `<!-- end ${name} -->`]
  const [before, rest] = [page.indexOf(begin), page.indexOf(end)]
  if (before < 0 || rest < before) throw new Error(`docs/verifying.md has no place for ${name}`)
  return `${page.slice(0, before + begin.length)}\n${text}\n${page.slice(rest)}`
}

function table(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|')
  const rows = Object.entries(CASES).map(([name, { what, ours, cosign, sigstoreGo, why }]) => {
    const own = ours === null ? 'verified' : `\`${ours.code}\``
    return `| \`${name}\` | ${cell(what)} | ${own} | ${cosign} | ${sigstoreGo} | ${cell(why ?? '')} |`
  })
  return ['| case | what | ours | cosign | sigstore-go | why they differ |', '|---|---|---|---|---|---|', ...rows].join('\n')
}

const SIGNED: readonly InteropCase['signed'][] = ['certificate', 'key', 'key and timestamp', 'key and log']

function commands(): string {
  const blocks = SIGNED.map((signed) => {
    const signer: RequiredSigner = signed === 'certificate' ? { kind: 'certificate', ...SIGNER } : { kind: 'key', publicKeys: [] }
    const policy = { signer, predicateType: PREDICATE_TYPE.reproduced, artifact: DIGEST }
    const go =
      signed === 'key'
        ? '# sigstore-go cannot: it always wants a time'
        : line('sigstore-go-verification', sigstoreGoArguments({ policy }, signed))
    return `Signed with a ${signed}:\n\n\`\`\`\n${line('cosign', cosignArguments({ policy }, signed))}\n${go}\n\`\`\``
  })
  return blocks.join('\n\n')
}

/** Flags that belong together stay together, and no line is too long to be read. */
function line(program: string, args: readonly string[]): string {
  const words = [program, ...args]
  const lines = ['']
  for (const word of words) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length > 110 && word.startsWith('-')) lines.push(`  ${word}`)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join(' \\\n')
}
