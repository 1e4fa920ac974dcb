/** A serialised message with its prefix, copied into one buffer. For payloads write a head and the payload instead. */
export function frameMessage(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + payload.length);
  frame[0] = 0;
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, 5);
  return frame;
}

/**
 * The head of a message whose last field is a `bytes` field of `payloadLength` bytes: prefix, `before` (the other fields,
 * serialised), tag and length. Written as `[head, payload]` it makes one message without copying the payload.
 */
export function frameHead(
  payloadLength: number,
  options: { field?: number; before?: Uint8Array } = {},
): Buffer {
  const { field = 1, before } = options;
  const beforeLength = before?.length ?? 0;
  const tag = (field << 3) | 2;
  const head = Buffer.allocUnsafe(5 + beforeLength + varintLength(tag) + varintLength(payloadLength));
  head[0] = 0;
  head.writeUInt32BE(head.length - 5 + payloadLength, 1);
  if (before) head.set(before, 5);
  let offset = 5 + beforeLength;
  offset = writeVarint(head, offset, tag);
  writeVarint(head, offset, payloadLength);
  return head;
}

/** Writes an unsigned varint (below 2^53) and returns the offset behind it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/** How many bytes {@link writeVarint} needs for the value. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
