type SignalSource = Pick<NodeJS.Process, 'on' | 'off' | 'kill' | 'pid' | 'stderr'>

/**
 * The first SIGINT or SIGTERM asks to stop: what runs is ended and cleaned up. The second ends the process at once, by that signal, so
 * that shells see it as what it is. `quiet`: whoever runs says so itself, such as in a log.
 */
export function abortOnSignals(
  process: SignalSource,
  o: { readonly quiet?: boolean } = {},
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController()
  const release = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal)
  }
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      release()
      process.kill(process.pid, name)
      return
    }
    if (o.quiet !== true) process.stderr.write('\nbitwitness: stopping; once more ends it at once and may leave a container behind\n')
    controller.abort()
  }
  for (const name of SIGNALS) process.on(name, onSignal)
  return { signal: controller.signal, release }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
