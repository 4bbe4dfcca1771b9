import { fileFlag } from './command.ts'

/** What is attested of images, and under which root, for commands that ask a gate. */
export const bundleFlags = {
  bundle: {
    kind: 'parsed',
    parse: (file: string): string => file,
    variadic: true,
    optional: true,
    brief: 'A file of bundles, or a proof, in place of what lies beside the images',
    placeholder: 'FILE',
  },
  trustedRoot: fileFlag('Trusted root of the Sigstore that signed, in place of the public one'),
} as const
