import { MOST_BYTES } from '../compose-document.ts'
import type { ComposeRule } from '../compose-rule.ts'

export const appSize: ComposeRule = {
  id: 'app-size',
  severity: 'deny',
  why: 'dstack takes 256 KiB. Phala Cloud takes 200 KiB of the Compose file and its own script together.',
  remedy: 'Put files into the image instead of the Compose file.',
  stage1: null,
  *check({ app, compose }) {
    const bytes = app?.bytes ?? 0
    const place = { part: 'app-compose', pointer: '', at: null } as const
    if (bytes > MOST_BYTES.dstack) yield { ...place, message: `it has ${bytes} bytes, more than dstack takes` }
    else if ((app === null ? (compose?.bytes ?? 0) : bytes) > MOST_BYTES.phala)
      yield {
        ...place,
        part: app === null ? 'docker-compose' : 'app-compose',
        message: 'it is larger than Phala Cloud takes',
        severity: 'warn',
      }
  },
}
