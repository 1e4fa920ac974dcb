import { type FakeServerCall } from "./server-call.js";

/** Go os.FileMode bits of entries that tests send. */
export const goMode = {
  directory: 0x8000_0000,
  symlink: 0x0800_0000,
  device: 0x0400_0000,
  namedPipe: 0x0200_0000,
  socket: 0x0100_0000,
  setuid: 0x0080_0000,
  setgid: 0x0040_0000,
  charDevice: 0x0020_0000,
  sticky: 0x0010_0000,
} as const;

/** An entry of a listing; what is left out is 0 or empty. */
export interface SentStat {
  path: string | Buffer;
  mode?: number;
  size?: number | bigint;
  /** Nanoseconds since the epoch. */
  mtime?: bigint;
  linkname?: string | Buffer;
}

function varint(value: bigint | number): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function field(number: number, value: bigint | number | Buffer): Buffer {
  if (Buffer.isBuffer(value)) return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
  return Buffer.concat([varint(number << 3), varint(value)]);
}

/** A serialised STAT packet; without an entry the one that ends the listing. */
export function statPacket(stat?: SentStat): Buffer {
  if (!stat) return Buffer.alloc(0);
  const parts = [field(1, Buffer.from(stat.path as string)), field(2, stat.mode ?? 0o644)];
  if (stat.size !== undefined) parts.push(field(5, stat.size));
  if (stat.mtime !== undefined) parts.push(field(6, stat.mtime));
  if (stat.linkname !== undefined) parts.push(field(7, Buffer.from(stat.linkname as string)));
  return field(2, Buffer.concat(parts));
}

/** A serialised DATA packet. */
export function dataPacket(id: number, data: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(data as string);
  const parts = [field(1, 2)];
  if (id !== 0) parts.push(field(3, id));
  if (bytes.length > 0) parts.push(field(4, bytes));
  return Buffer.concat(parts);
}

/** Serialised FIN and ERR packets. */
export const finPacket = (): Buffer => field(1, 3);
export const errPacket = (text: string): Buffer => Buffer.concat([field(1, 4), field(4, Buffer.from(text))]);

/** What the receiver has sent: ids it asked for, whether it said FIN, and the text of its ERR. */
export function received(call: FakeServerCall): { requests: number[]; fin: boolean; error?: string } {
  const requests: number[] = [];
  let fin = false;
  let error: string | undefined;
  for (const message of call.sent) {
    if (message[1] === 1) {
      let id = 0;
      for (let at = 3, scale = 1; at < message.length; at++, scale *= 128) {
        id += ((message[at] as number) & 0x7f) * scale;
      }
      requests.push(id);
    } else if (message[1] === 3) fin = true;
    else if (message[1] === 4) {
      let at = 3;
      while ((message[at] as number) > 0x7f) at++;
      error = message.toString("utf8", at + 1);
    }
  }
  return { requests, fin, ...(error !== undefined && { error }) };
}

/** An entry with its content. */
export interface SentEntry extends SentStat {
  content?: Buffer | string;
}

/** Plays a correct sender: the listing, then the content asked for in chunks of 32 KiB, then FIN. */
export async function sendTree(call: FakeServerCall, entries: readonly SentEntry[]): Promise<void> {
  for (const { content, ...stat } of entries) {
    const size = content === undefined ? undefined : Buffer.byteLength(content);
    call.send(statPacket({ ...(size !== undefined && { size }), ...stat }));
  }
  call.send(statPacket());
  let answered = 0;
  for (;;) {
    await call.until(() => {
      const state = received(call);
      return (
        state.fin ||
        state.error !== undefined ||
        state.requests.length > answered ||
        call.status !== undefined
      );
    });
    const { requests, fin, error } = received(call);
    if (error !== undefined || call.status) return;
    for (const id of requests.slice(answered)) {
      const content = Buffer.from((entries[id]?.content ?? "") as string);
      for (let at = 0; at < content.length; at += 32 * 1024) {
        call.send(dataPacket(id, content.subarray(at, at + 32 * 1024)));
      }
      call.send(dataPacket(id));
    }
    answered = requests.length;
    if (fin) {
      call.send(finPacket());
      return;
    }
  }
}
