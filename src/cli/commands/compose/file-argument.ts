/** The one argument of commands that read an app-compose. */
export const fileArgument = {
  kind: 'tuple',
  parameters: [{ parse: (text: string): string => text, brief: 'app-compose.json, or a Compose file', placeholder: 'FILE' }],
} as const
