/** Which builder; the newest where none is named. */
export const builderArgument = {
  kind: 'tuple',
  parameters: [
    {
      parse: (text: string): string => text,
      brief: 'Its digest, or the first 12 digits or more; the newest if not given',
      placeholder: 'BUILDER',
      optional: true,
    },
  ],
} as const
