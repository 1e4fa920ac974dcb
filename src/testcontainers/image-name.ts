import { createHash, randomUUID } from "node:crypto";
import { basename, resolve } from "node:path";
import type { Blob } from "node:buffer";
import { bytesOf, isBlob, isByteSource } from "../core/index.js";
import type { BuildImageOptions } from "./build-image.js";

/** The same for the same call in the same place. Secrets and callbacks do not make another image. */
export async function imageName(options: BuildImageOptions): Promise<string> {
  const directory = directoryOf(options.context);
  const hash = createHash("sha256");
  hash.update(directory || (await textOf(options.context)));
  hash.update(await textOf(whatIsBuilt(options)));
  const readable = basename(directory)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return `slipway-test/${readable.replace(/^-|-$/g, "") || "image"}:${hash.digest("hex").slice(0, 12)}`;
}

/** Options besides the context that make another image of it. */
function whatIsBuilt(options: BuildImageOptions) {
  const { file, dockerfile, target, platforms, buildArgs, labels, buildContexts, engineImages } = options;
  const { annotations, provenance, sbom, attests, network, addHosts, trustCa } = options;
  const steps = { network, addHosts, trustCa };
  const about = { labels, annotations, provenance, sbom, attests };
  return { file, dockerfile, target, platforms, buildArgs, buildContexts, engineImages, steps, about };
}

/** Absolute; empty for what is no directory of this machine. */
function directoryOf(context: BuildImageOptions["context"]): string {
  if (typeof context === "string") return resolve(context);
  return context.type === "directory" ? resolve(context.path) : "";
}

/** A value as text that is equal for equal values; a stream is like no other. */
async function textOf(value: unknown): Promise<string> {
  const blobs: Blob[] = [];
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key: string) {
    // As it is, before a Buffer makes a list of numbers of itself.
    const raw = this[key];
    if (typeof raw !== "object" || raw === null) return raw;
    if (isBlob(raw)) return `blob ${blobs.push(raw)}`;
    const bytes = bytesOf(raw);
    if (bytes) return digestOf(bytes);
    return isByteSource(raw) ? randomUUID() : raw;
  });
  const digests = blobs.map(async (blob) => digestOf(new Uint8Array(await blob.arrayBuffer())));
  return [text, ...(await Promise.all(digests))].join("\n");
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
