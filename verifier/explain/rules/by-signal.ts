import type { SignalId } from '../inspect/signal.ts'
import { CONTENT, type Explained, type PathEvidence } from '../rule.ts'

/** What a signal in the contents explains: all of the content only where the signals together explain every byte. */
export function bySignal(id: SignalId): (evidence: PathEvidence) => Explained | null {
  return ({ inspection }) => {
    const signal = inspection?.signals.find((one) => one.id === id)
    if (inspection === null || signal === undefined) return null
    return { aspects: inspection.whole ? CONTENT : [], evidence: signal.evidence }
  }
}
