import { join } from "node:path";
import { JsonReader, parseJsonObject } from "../config/index.js";

/**
 * Options of a builder that only slipway knows. They are kept beside the store, since buildx refuses driver options it
 * does not know (design decision 7).
 */
export interface SlipwayOptions {
  /** How the daemon is reached. */
  connect?: "auto" | "exec" | "socket";
  /** The process that an ephemeral builder belongs to; the value of {@link ephemeralLabel}. */
  ephemeral?: string;
}

/** Label of what is on the engine of an ephemeral builder. */
export const ephemeralLabel = "io.slipway.ephemeral";

/** Directory of the files, relative to the store. */
export const slipwayOptionsDir = join("slipway", "builders");

/** Path of the file, relative to the store; `name` is in lower case. */
export function slipwayOptionsFile(name: string): string {
  return join(slipwayOptionsDir, name);
}

/** @throws ConfigError when the file is broken or `connect` has a value it cannot have. */
export function readSlipwayOptions(path: string, content: Buffer | undefined): SlipwayOptions {
  if (content === undefined) return {};
  const reader = new JsonReader(path, parseJsonObject(path, content));
  const connect = reader.text("connect");
  const ephemeral = reader.text("ephemeral");
  const kept = ephemeral === undefined ? {} : { ephemeral };
  if (connect === undefined) return kept;
  if (connect !== "auto" && connect !== "exec" && connect !== "socket")
    throw reader.problem("connect", "must be auto, exec or socket");
  return { ...kept, connect };
}

/** Undefined when there is nothing to keep. */
export function encodeSlipwayOptions(options: SlipwayOptions): string | undefined {
  const text = JSON.stringify(options);
  return text === "{}" ? undefined : text;
}
