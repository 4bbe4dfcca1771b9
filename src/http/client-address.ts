/**
 * Whom a request counts for: the address that the outermost of our own proxies saw, an IPv6 one as its /64, which is what one customer has.
 * What else a header says is the sender's own word. `unknown` where nothing believable is there: those share one bucket.
 */
export function clientAddress(o: {
  readonly remote: string | undefined
  readonly forwarded: string | undefined
  readonly proxies: number
}): string {
  const said = (o.forwarded ?? '').split(',').map((part) => part.trim())
  const address = o.proxies === 0 ? o.remote : said.at(-o.proxies)
  return address === undefined ? 'unknown' : network(address)
}

function network(address: string): string {
  const bare = address.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
  const four = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?$/.exec(mapped ?? bare)?.[1]
  if (four !== undefined) return four
  if (!/^[0-9a-f:.]{2,45}$/.test(bare) || !bare.includes(':')) return 'unknown'
  const [head = '', tail] = bare.split('::')
  const groups = head === '' ? [] : head.split(':')
  // Groups that :: stands for lie between the two sides; of a tail only what reaches into the first four counts.
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = Math.max(0, 8 - groups.length - after.length)
  const all = tail === undefined ? groups : [...groups, ...Array.from({ length: missing }, () => '0'), ...after]
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
