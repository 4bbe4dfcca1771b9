import { Failure } from '../../verifier/model/failure.ts'
import type { HttpApp } from './http-ports.ts'

/** Answers every other method on every path that there is; to be called last. */
export function refuseOtherMethods(app: HttpApp): void {
  const methods = new Map<string, Set<string>>()
  for (const { method, path } of app.routes)
    if (method !== 'ALL' && !path.endsWith('*')) methods.set(path, (methods.get(path) ?? new Set()).add(method))
  for (const [path, known] of methods) {
    const allow = [...known, ...(known.has('GET') ? ['HEAD', 'OPTIONS'] : [])].toSorted().join(', ')
    app.all(path, () => {
      throw new Failure({
        code: 'method-not-allowed',
        message: 'there is something here, but nothing that this method does',
        hint: 'take one of the methods that Allow names',
        data: { allow },
      })
    })
  }
}
