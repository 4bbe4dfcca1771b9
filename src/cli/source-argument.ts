/** The one argument of every command that takes a source. */
export const sourceArgument = {
  kind: 'tuple',
  parameters: [
    {
      parse: (text: string): string => text,
      brief: 'A folder, an archive, or a git repository as URL[@REF][#FOLDER]',
      placeholder: 'SOURCE',
    },
  ],
} as const
