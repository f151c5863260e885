/** Text messages of one side of a WebSocket (RFC 6455, section 5.2), uncompressed. */

const unmasked = (payload: Buffer, mask: Buffer | undefined): Buffer =>
  mask === undefined ? payload : Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]!))

export const messagesIn = (bytes: Buffer): ReadonlyArray<string> => {
  const messages: Array<string> = []
  let parts: Array<Buffer> = []
  let at = 0
  while (at + 2 <= bytes.length) {
    const first = bytes[at]!
    const second = bytes[at + 1]!
    let length = second & 0x7f
    let from = at + 2
    if (length === 126) {
      if (from + 2 > bytes.length) break
      length = bytes.readUInt16BE(from)
      from += 2
    } else if (length === 127) {
      if (from + 8 > bytes.length) break
      length = Number(bytes.readBigUInt64BE(from))
      from += 8
    }
    const masks = (second & 0x80) !== 0
    const mask = masks ? bytes.subarray(from, from + 4) : undefined
    if (masks) from += 4
    if (from + length > bytes.length) break
    const opcode = first & 0x0f
    // Control frames come between the parts of a message.
    if (opcode < 8) {
      parts.push(unmasked(bytes.subarray(from, from + length), mask))
      if ((first & 0x80) !== 0) {
        messages.push(Buffer.concat(parts).toString("utf8"))
        parts = []
      }
    }
    at = from + length
  }
  return messages
}
