/** The one argument of commands that read a policy. */
export const policyArgument = {
  kind: 'tuple',
  parameters: [{ parse: (text: string): string => text, brief: 'A policy, as YAML', placeholder: 'POLICY' }],
} as const
