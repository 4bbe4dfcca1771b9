/** The one argument of every command that takes a source. */
export const sourceArgument = {
  kind: 'tuple',
  parameters: [
    {
      parse: (text: string): string => text,
      brief: 'FOLDER, ARCHIVE.tar[.gz|.zst|.xz][#:FOLDER] or https://HOST/REPOSITORY.git[#REVISION][:FOLDER]',
      placeholder: 'SOURCE',
    },
  ],
} as const
