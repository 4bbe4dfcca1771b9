export type Load = {
  /** Requests at once, each on a connection of its own. */
  readonly connections: number
  readonly seconds: number
}

/**
 * Does the same over and over from several sides for a while, and then stops. Gives how long each took, in milliseconds, and in how many
 * seconds all of them did.
 */
export async function underLoad(
  { connections, seconds }: Load,
  once: (connection: number, number: number) => Promise<void>,
): Promise<{ readonly times: readonly number[]; readonly seconds: number }> {
  const times: number[] = []
  const since = performance.now()
  const side = async (connection: number): Promise<void> => {
    for (let number = 0; performance.now() - since < seconds * 1000; number += 1) {
      const begun = performance.now()
      await once(connection, number)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: connections }, (_, connection) => side(connection)))
  return { times, seconds: (performance.now() - since) / 1000 }
}
