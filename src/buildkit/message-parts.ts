import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { MessageDecoder } from "../http2/index.js";
import { limitExceeded } from "./buildkit-error.js";

/**
 * Parts of one message, at most: messages in it, elements of lists and maps, fields that are not known. Each takes two bytes on
 * the wire and some 200 as an object, so that 16 MiB could fill 2 GB. A build of 10,000 steps is told in 100,000.
 */
export const mostParts = 250_000;
/** Deeper than any message of BuildKit's, whose own are 6 deep. */
const deepest = 50;
// Wire types of protobuf.
const varint = 0;
const fixed64 = 1;
const delimited = 2;
const fixed32 = 5;

/**
 * Looks through the answers of a service's methods before they are decoded. For the path of a call, gives a function that
 * takes the bytes of its answers as they come, and throws at a message that has too many parts.
 */
export function inspectAnswers(
  services: readonly DescService[],
): (path: string) => ((chunk: Buffer) => void) | undefined {
  const methods = new Map<string, DescMethod>();
  for (const service of services) {
    for (const method of service.methods) methods.set(`/${service.typeName}/${method.name}`, method);
  }
  return (path) => {
    const method = methods.get(path);
    if (!method) return undefined;
    const decoder = new MessageDecoder();
    const look = (message: Buffer) => {
      if (partsOf(method.output, message) > mostParts) {
        throw limitExceeded(`buildkitd sent more than ${mostParts} parts in one answer to ${method.name}`);
      }
    };
    return (chunk) => decoder.push(chunk, look);
  };
}

/**
 * How many parts a message has, or some number above {@link mostParts}. Nothing is decoded. What is malformed ends the
 * counting: decoding it finds that as well.
 */
export function partsOf(desc: DescMessage, bytes: Uint8Array): number {
  const counter = new PartCounter(bytes);
  counter.count(desc, bytes.length, 0);
  return counter.parts;
}

class PartCounter {
  parts = 0;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  count(desc: DescMessage, end: number, depth: number): void {
    const fields = fieldsOf(desc);
    while (this.#at < end && this.parts <= mostParts) {
      const tag = this.#varint();
      const wire = tag & 7;
      const field = fields.get(tag >>> 3);
      if (!field || field.fieldKind !== "scalar") this.parts++;
      if (wire === varint) this.#varint();
      else if (wire === fixed64) this.#at += 8;
      else if (wire === fixed32) this.#at += 4;
      else if (wire === delimited) this.#countDelimited(field, end, depth);
      else {
        // Groups are not used. One that is there all the same costs its bytes.
        this.parts += end - this.#at;
        return;
      }
    }
    this.#at = end;
  }

  #countDelimited(field: DescField | undefined, end: number, depth: number): void {
    const length = this.#varint();
    const stop = Math.min(end, this.#at + length);
    const inner = messageOf(field);
    if (inner && depth < deepest) this.count(inner, stop, depth + 1);
    // Numbers stand in one packed field.
    else if (field?.fieldKind === "list" && isPacked(field)) this.parts += stop - this.#at;
    this.#at = stop;
  }

  /** The lowest 32 bits; what is longer than ten bytes is malformed. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70 && this.#at < this.#bytes.length; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }
}

function messageOf(field: DescField | undefined): DescMessage | undefined {
  if (field?.fieldKind === "message") return field.message;
  if (field?.fieldKind === "list" && field.listKind === "message") return field.message;
  // An entry of a map is key and value, 1 and 2.
  return field?.fieldKind === "map" && field.mapKind === "message" ? field.message : undefined;
}

function isPacked(field: DescField & { fieldKind: "list" }): boolean {
  return (
    field.listKind === "enum" ||
    (field.listKind === "scalar" && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES)
  );
}

const known = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  let fields = known.get(desc);
  if (!fields) {
    fields = new Map(desc.fields.map((field) => [field.number, field]));
    known.set(desc, fields);
  }
  return fields;
}
