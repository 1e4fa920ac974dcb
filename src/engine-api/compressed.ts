import { InvalidArgumentError } from "../core/index.js";
import type { UploadSource } from "./upload-feed.js";

const magics: [string, Buffer][] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["bzip2", Buffer.from("BZh")],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

/** The same bytes; @throws InvalidArgumentError before the first of them when they are a compressed archive (SEC-11). */
export async function* refuseCompressed(source: UploadSource): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < 8) continue;
    yield checked(head);
    head = undefined;
  }
  if (head && head.length > 0) yield checked(head);
}

function checked(head: Buffer): Buffer {
  for (const [name, magic] of magics) {
    if (head.subarray(0, magic.length).equals(magic)) {
      throw new InvalidArgumentError(`the archive must not be compressed, but it is ${name}`);
    }
  }
  return head;
}
