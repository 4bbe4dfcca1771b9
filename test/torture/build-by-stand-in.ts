import { registerHooks } from 'node:module'

/** `node --import` of this has the worker inside of a coordinator build with the stand-in. Nothing else of the program is changed. */
const BY = '/src/local-worker.ts'

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier !== './context.ts' || context.parentURL?.endsWith(BY) !== true) return nextResolve(specifier, context)
    return nextResolve(new URL('stand-in-context.ts', import.meta.url).href, context)
  },
})
