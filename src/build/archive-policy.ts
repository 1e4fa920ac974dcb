import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { PassThrough, Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { types } from "node:util";
import { InvalidArgumentError, byteChunks, messageOf, roomIn, takeHeld } from "../core/index.js";
import { unsupported } from "./parse/policy.js";
import { isZstd } from "./zstd-context.js";

/** Loaded by the archives that need it. Zstd is there since Node 22.15. */
const zlib = () =>
  process.getBuiltinModule("node:zlib") as {
    createGunzip(): Transform;
    createZstdDecompress?: () => Transform;
  };

/** So many bytes tell the forms of archives apart. */
const headBytes = 8;

/** Options of {@link withoutPolicy}. */
export interface WithoutPolicyOptions {
  /** Path of the policy that belongs to the Dockerfile, in the archive. */
  path: string;
  /** Looks into an archive that only the builder can unpack. Throws when a policy is in it. */
  lookByBuilder: (read: () => Readable) => Promise<void>;
}

/**
 * The bytes of an archive, which fail at its end, before the builder has them all, when it holds the policy that belongs to its
 * Dockerfile: rego is not evaluated here, and nobody is to take a build without the rule for one with it. So does one that cannot
 * be looked into. Tar, gzip and, where Node has it, zstd are looked into as they pass; others are kept in a file meanwhile.
 */
export function withoutPolicy(archive: Readable | Uint8Array, options: WithoutPolicyOptions): Readable {
  return Readable.from(lookedInto(archive, options), { objectMode: false });
}

async function* lookedInto(
  archive: Readable | Uint8Array,
  { path, lookByBuilder }: WithoutPolicyOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = types.isUint8Array(archive)
    ? piecesOf(archive)
    : byteChunks(takeHeld(archive), "the stream given to tar()");
  const chunks = source[Symbol.asyncIterator]();
  try {
    let head: Buffer = Buffer.alloc(0);
    while (head.length < headBytes) {
      const next = await chunks.next();
      if (next.done) break;
      head = Buffer.concat([head, next.value]);
    }
    const rest = { [Symbol.asyncIterator]: () => chunks };
    const whole = chained(head, rest);
    const unpacking = unpackerOf(head);
    if (unpacking === "builder") yield* lookedIntoByBuilder(whole, lookByBuilder);
    else yield* scanned(whole, path, unpacking);
  } finally {
    await chunks.return?.();
  }
}

/** What unpacks an archive: a stream, nothing for a plain tar, or only the builder. */
function unpackerOf(head: Buffer): Transform | undefined | "builder" {
  const begins = (hex: string) => head.subarray(0, hex.length / 2).equals(Buffer.from(hex, "hex"));
  if (begins("1f8b08")) return zlib().createGunzip();
  if (isZstd(head)) return zlib().createZstdDecompress?.() ?? "builder";
  return begins("425a68") || begins("fd377a585a00") ? "builder" : undefined;
}

async function* scanned(
  source: AsyncIterable<Uint8Array>,
  policy: string,
  unpacker: Transform | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const copy = new PassThrough();
  let failure: Error | undefined;
  const scanning = scan(copy, policy, unpacker).catch((error: unknown) => {
    failure = refusal(error);
    copy.destroy();
  });
  try {
    for await (const chunk of source) {
      if (!copy.destroyed && !copy.write(chunk)) await roomIn(copy);
      if (failure) throw failure;
      yield chunk;
    }
    copy.end();
    await scanning;
    // The builder has not got the end of the stream yet, and begins nothing before.
    if (failure) throw failure;
  } finally {
    copy.destroy();
  }
}

async function scan(source: Readable, policy: string, unpacker: Transform | undefined): Promise<void> {
  const { extract } = await import("tar-stream");
  const entries = extract();
  const reading = unpacker ? pipeline(source, unpacker, entries) : pipeline(source, entries);
  reading.catch(() => {}); // the loop throws the same
  const isPolicy = policyTest(policy);
  for await (const entry of entries) {
    if (isPolicy(entry.header.name)) throw found(policy);
    entry.resume();
  }
  await reading;
}

/** Of a policy in a directory any file of its name counts: the directory may be a link to another. */
function policyTest(policy: string): (name: string) => boolean {
  const path = posix.normalize(`/${policy}`);
  const base = posix.basename(path);
  return posix.dirname(path) === "/"
    ? (name) => posix.normalize(`/${name}`) === path
    : (name) => posix.basename(posix.normalize(`/${name}`)) === base;
}

async function* lookedIntoByBuilder(
  source: AsyncIterable<Uint8Array>,
  look: (read: () => Readable) => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = join(tmpdir(), `slipway-context-${randomBytes(8).toString("hex")}`);
  try {
    await pipeline(source, createWriteStream(file, { flags: "wx", mode: 0o600 }));
    await look(() => createReadStream(file));
    yield* createReadStream(file) as AsyncIterable<Buffer>;
  } finally {
    await rm(file, { force: true });
  }
}

function found(policy: string): InvalidArgumentError {
  return unsupported(`the policy ${policy} in the archive, which belongs to its Dockerfile`);
}

function refusal(error: unknown): Error {
  if (error instanceof InvalidArgumentError) return error;
  return new InvalidArgumentError(
    `the archive that is the context cannot be looked into for a policy: ${messageOf(error)} ` +
      "(--policy disabled=true builds without looking)",
    { cause: error },
  );
}

async function* chained(
  head: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  yield* rest;
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
}
