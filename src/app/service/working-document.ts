import { z } from 'zod'
import { WorkerPublicKey } from './worker-public-key.ts'

/** What `worker` is when it begins. */
export const WorkingDocument = z.strictObject({
  schema: z.literal('bitwitness/working/v1'),
  coordinator: z.url(),
  publicKey: WorkerPublicKey,
  version: z.string(),
  architecture: z.string(),
  /** Attempts that run side by side. */
  slots: z.int().positive(),
  home: z.string(),
})
export type WorkingDocument = z.infer<typeof WorkingDocument>
