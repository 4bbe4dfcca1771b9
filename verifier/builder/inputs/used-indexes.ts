import type { InputLock, SignedIndex } from '../../model/lock.ts'
import { aptSuites } from './apt-sandbox.ts'
import type { InputProxy } from './input-proxy.ts'

/**
 * The signed indexes that apt worked from in one attempt: those of its sources, and of them what it was handed. A lock may name more (a
 * newer one that nothing was built from would make an old lock look fresh), and so may a script have asked for more.
 */
export function usedIndexes(
  lock: InputLock,
  sandboxTree: Parameters<typeof aptSuites>[0],
  inputs: Pick<InputProxy, 'served'>,
): readonly SignedIndex[] {
  const signed = lock.inputs.filter((input) => input.kind === 'release')
  return aptSuites(sandboxTree).flatMap(({ archive, suite }) => {
    const at = (name: string) => signed.find((index) => index.archive === archive && index.path === `dists/${suite}/${name}`)
    // apt asks for the second only where there is no first.
    const used = [at('InRelease'), at('Release')].find((index) => index !== undefined && inputs.served(index))
    return used === undefined ? [] : [used]
  })
}
