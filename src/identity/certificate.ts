/**
 * A self-signed X.509 v3 certificate that carries an Ed25519 key and says nothing else: the envelope in which TLS wants a key
 * (RFC 5280 and RFC 8410). The same key always gives the same certificate. `sign` signs with the private half of `publicKey`.
 */
export function makeCertificate(publicKey: Uint8Array, sign: (message: Uint8Array) => Uint8Array): string {
  const unsigned = sequence(
    version3,
    integer(serialNumber(publicKey)),
    ed25519Algorithm,
    commonName,
    forever,
    commonName,
    sequence(ed25519Algorithm, bitString(publicKey)),
    notAnAuthority,
  )
  return pem(sequence(unsigned, ed25519Algorithm, bitString(sign(unsigned))))
}

/** Sixteen bytes out of the key, positive and in shortest form: some TLS stacks dislike two certificates of one name and serial. */
function serialNumber(publicKey: Uint8Array): Uint8Array {
  const serial = publicKey.slice(0, 16)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  return serial
}

/** [0] EXPLICIT INTEGER 2. */
const version3 = fromHex('a003020102')
/** SEQUENCE { OBJECT IDENTIFIER 1.3.101.112 }. */
const ed25519Algorithm = fromHex('300506032b6570')
/** CN=plait. */
const commonName = fromHex('3010310e300c06035504030c05706c616974')
/** From 1970-01-01 to 9999-12-31 23:59:59, which RFC 5280 reserves for "no end". */
const forever = fromHex('3020170d3730303130313030303030305a180f39393939313233313233353935395a')
/** [3] EXPLICIT: one extension, basic constraints, critical, not a certificate authority. */
const notAnAuthority = fromHex('a310300e300c0603551d130101ff04023000')

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tagged(0x30, parts)
}

function integer(bytes: Uint8Array): Uint8Array {
  return tagged(0x02, [bytes])
}

/** A bit string without unused bits. */
function bitString(bytes: Uint8Array): Uint8Array {
  return tagged(0x03, [Uint8Array.of(0), bytes])
}

/** Tag, length, content; lengths up to 65,535, in DER's shortest form. */
function tagged(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >>> 8, length & 0xff]
  const bytes = new Uint8Array(header.length + length)
  bytes.set(header)
  let offset = header.length
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function pem(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
