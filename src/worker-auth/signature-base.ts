/** A covered component (RFC 9421 §2) without parameters: a field's name in lower case or a derived one such as `@method`, and its value. */
export type Component = readonly [name: string, value: string]

/**
 * The bytes that a signature of an HTTP message is over (RFC 9421 §2.5). `params` is what the signature's member of Signature-Input says,
 * byte for byte as it is sent (RFC 9421 §2.3). Values may not hold line breaks: HTTP lets none through, and who calls this takes them
 * from there.
 */
export function signatureBase(components: readonly Component[], params: string): Buffer {
  const lines = components.map(([name, value]) => `"${name}": ${value}`)
  return Buffer.from([...lines, `"@signature-params": ${params}`].join('\n'))
}
