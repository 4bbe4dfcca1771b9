import { z } from 'zod'

/** What a source may ask of the stand-in, in a file `stand-in.json` of its root. */
export const StandInWishes = z.strictObject({
  /** Before the build goes on, ms. */
  waitMs: z.int().nonnegative().default(0),
  /** Lines of log beside the usual ones. */
  lines: z.int().nonnegative().default(0),
  /** The build fails. */
  fails: z.boolean().default(false),
  /** It fails in the attempts of these numbers. */
  failsIn: z.array(z.int().positive()).default([]),
  /** How many tries of each attempt the machine fails, before it lets one through. */
  brokenTries: z.int().nonnegative().default(0),
  /** Every build gives other bytes. */
  random: z.boolean().default(false),
  /** Bytes that the artifact is larger by. */
  padding: z.int().nonnegative().default(0),
})
export type StandInWishes = z.infer<typeof StandInWishes>
