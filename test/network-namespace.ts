import { execa } from 'execa'

/**
 * A host of the test's own on this machine: a network namespace, joined to the machine by a pair of virtual interfaces and by nothing else.
 * Removed when it is disposed of.
 */
export class NetworkNamespace implements AsyncDisposable {
  readonly name: string
  /** Where the machine is seen from inside. */
  readonly gateway: string

  private constructor(name: string, gateway: string) {
    this.name = name
    this.gateway = gateway
  }

  /** `subnet` (0 to 63) tells those of one test apart. Needs the right to make namespaces: a test machine's root has it. */
  static async open(name: string, subnet: number): Promise<NetworkNamespace> {
    const [outside, inside] = [`${name}-o`, `${name}-i`]
    const gateway = `10.231.77.${subnet * 4 + 1}`
    await using opening = new AsyncDisposableStack()
    const space = opening.use(new NetworkNamespace(name, gateway))
    await execa('ip', ['netns', 'add', name])
    await execa('ip', ['link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', name])
    await execa('ip', ['address', 'add', `${gateway}/30`, 'dev', outside])
    await execa('ip', ['link', 'set', outside, 'up'])
    await execa('ip', ['-n', name, 'address', 'add', `10.231.77.${subnet * 4 + 2}/30`, 'dev', inside])
    await execa('ip', ['-n', name, 'link', 'set', inside, 'up'])
    await execa('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
    opening.move()
    return space
  }

  /** Runs a program inside by these words. */
  get by(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The pair goes with it.
    await execa('ip', ['netns', 'delete', this.name], { reject: false })
  }
}
