import { parseJson } from "../core/index.js";
import { isJsonObject } from "../config/index.js";
import { type Descriptor, mediaTypes, readDescriptor } from "./descriptor.js";
import { parseManifest } from "./manifest.js";

/** A manifest that refers to another one. */
export interface Referrer {
  /** Digest of what it refers to. */
  subject: string;
  /** The manifest as the list of referrers has it. */
  descriptor: Descriptor;
}

/** What a manifest refers to; undefined for one without a subject. */
export function readReferrer(content: Buffer, descriptor: Descriptor): Referrer | undefined {
  let value: unknown;
  try {
    value = parseJson(content.toString());
  } catch {
    // What is no JSON refers to nothing; that it is none is for who reads it.
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const subject = readDescriptor(value["subject"]);
  if (!subject) return undefined;
  const { annotations } = readDescriptor({ ...descriptor, annotations: value["annotations"] }) ?? {};
  // The config's type stands for that of older artifacts (distribution-spec 1.1, listing referrers).
  const config = isJsonObject(value["config"]) ? value["config"]["mediaType"] : undefined;
  const artifactType = value["artifactType"] || config;
  return {
    subject: subject.digest,
    descriptor: {
      ...descriptor,
      ...(typeof artifactType === "string" && { artifactType }),
      ...(annotations && { annotations }),
    },
  };
}

/** The list of referrers with one more; undefined when it is in there. */
export function addReferrer(list: Buffer | undefined, descriptor: Descriptor): Buffer | undefined {
  const known = list && parseManifest(list, undefined, "the list of referrers");
  const manifests = known?.kind === "index" ? known.manifests : [];
  if (manifests.some(({ digest }) => digest === descriptor.digest)) return undefined;
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...manifests, descriptor] };
  return Buffer.from(JSON.stringify(index));
}
