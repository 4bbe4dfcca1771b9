import type { PinnedReference } from '../../../../verifier/model/image-reference.ts'
import { command, jsonFlag } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { pinnedArgument } from '../../image-argument.ts'
import { printAnswer } from '../../output.ts'

type Flags = {
  readonly json: boolean
  readonly output: string
  readonly name?: string
  readonly port?: readonly string[]
  readonly env?: readonly string[]
  readonly command?: readonly string[]
  readonly workingDir?: string
}

const text = (value: string): string => value
const optional = (brief: string, placeholder: string) => ({ kind: 'parsed', parse: text, optional: true, brief, placeholder }) as const

export const createComposeFiles = command<Flags, [PinnedReference]>({
  brief: 'Write docker-compose-deploy.yml and app-compose.json that run an image by its digest',
  parameters: {
    flags: {
      output: { kind: 'parsed', parse: text, brief: 'Folder to write into', placeholder: 'FOLDER' },
      name: optional('Name of the app and its service; else the last part of the name of the image', 'NAME'),
      port: { ...optional('Port of the container, given out under the same number', 'PORT[/udp]'), variadic: true },
      env: { ...optional('Variable of the container', 'NAME=VALUE'), variadic: true },
      command: { ...optional('A word of the command, in order; else the image’s own runs', 'WORD'), variadic: true },
      workingDir: optional('Folder in the container that the command runs in', 'PATH'),
      ...jsonFlag,
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [pinnedArgument] },
  },
  async run(io, flags, image) {
    const { createCompose, ComposeCreated } = await import('../../../app/compose/create-compose.ts')
    await using room = await io.registry()
    const made = await createCompose(room, {
      image,
      name: flags.name ?? null,
      ports: flags.port ?? [],
      env: flags.env ?? [],
      command: flags.command ?? [],
      workingDir: flags.workingDir ?? null,
      folder: flags.output,
    })
    await printAnswer(io, {
      json: flags.json,
      schema: ComposeCreated,
      value: made,
      lines: () => [made.composeHash, `  ${flags.output}/${made.files.dockerCompose}`, `  ${flags.output}/${made.files.appCompose}`],
    })
    return EXIT.yes
  },
})
