import { join } from "node:path";
import { JsonReader, parseJsonObject } from "../config/index.js";

/**
 * Options of a builder that only slipway knows. They are kept beside the store, since buildx refuses driver options it
 * does not know (design decision 7).
 */
export interface SlipwayOptions {
  /** How the daemon is reached. */
  connect?: "auto" | "exec" | "socket";
}

/** Path of the file, relative to the store; `name` is in lower case. */
export function slipwayOptionsFile(name: string): string {
  return join("slipway", "builders", name);
}

/** @throws ConfigError when the file is broken or `connect` has a value it cannot have. */
export function readSlipwayOptions(path: string, content: Buffer | undefined): SlipwayOptions {
  if (content === undefined) return {};
  const reader = new JsonReader(path, parseJsonObject(path, content));
  const connect = reader.text("connect");
  if (connect === undefined) return {};
  if (connect !== "auto" && connect !== "exec" && connect !== "socket")
    throw reader.problem("connect", "must be auto, exec or socket");
  return { connect };
}

/** Undefined when there is nothing to keep. */
export function encodeSlipwayOptions(options: SlipwayOptions): string | undefined {
  return options.connect === undefined ? undefined : JSON.stringify({ connect: options.connect });
}
