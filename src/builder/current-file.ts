import { createHash } from "node:crypto";
import { join } from "node:path";
import { JsonReader, parseJsonObject } from "../config/index.js";
import { messageOf } from "../core/index.js";
import type { StoreDir } from "./store-dir.js";

/** The chosen builder (file `current`). */
export interface CurrentChoice {
  /** Docker endpoint that the choice was made on. */
  key: string;
  /** Empty: the endpoint's own builder. */
  name: string;
  /** Holds on every endpoint. */
  global: boolean;
}

/** The file that {@link CurrentChoice} is kept in. */
export const currentFile = "current";

/** The default builder of an endpoint is named in this file (buildx toHash). */
export function defaultFile(key: string): string {
  return join("defaults", createHash("sha256").update(key).digest("hex").slice(0, 20));
}

/** Reads the choice; undefined when there is none, or the file is broken, which is told to `warn` (STO-2). */
export async function readCurrent(
  dir: StoreDir,
  warn: (text: string) => void,
): Promise<CurrentChoice | undefined> {
  const path = join(dir.path, currentFile);
  const content = await dir.read(currentFile);
  if (content === undefined) return undefined;
  try {
    if (content.length === 0) throw new Error(`${path}: the file is empty`);
    const reader = new JsonReader(path, parseJsonObject(path, content));
    return {
      key: reader.text("Key") ?? "",
      name: reader.text("Name") ?? "",
      global: reader.boolean("Global") ?? false,
    };
  } catch (error) {
    warn(`ignoring the current builder: ${messageOf(error)}`);
    return undefined;
  }
}

/** The choice as the file holds it. */
export function encodeCurrent({ key, name, global }: CurrentChoice): string {
  return JSON.stringify({ Key: key, Name: name, Global: global });
}
