/** Where Compose puts a variable in (compose-spec, "Interpolation"): `$NAME` or `${…}`; `$$` is a dollar. */
export const INTERPOLATION = /(?<!\$)(?:\$\$)*\$(?:[A-Za-z_{])/

/** Names of the variables in a text, each once. */
export function variablesIn(text: string): readonly string[] {
  const names = [...text.replaceAll('$$', '').matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => name)
  return [...new Set(names)]
}
