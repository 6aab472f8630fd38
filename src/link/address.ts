/** `HOST:PORT`, with brackets around an IPv6 address. An IPv4 address that came in an IPv6 socket is shown as what it is. */
export function formatHostPort(host: string, port: number): string {
  const plain = unmapped(host)
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}

/** What limits for each address count by: an IPv4 address, the /64 of an IPv6 address (one customer's), else the text itself. */
export function addressGroup(host: string): string {
  const plain = unmapped(host.toLowerCase())
  if (!plain.includes(':')) return plain
  const [head = '', tail] = (plain.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: middle }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}

function unmapped(host: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(host) ? host.slice(7) : host
}
