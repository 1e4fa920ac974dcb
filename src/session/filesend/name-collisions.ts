import { randomBytes } from "node:crypto";
import { closeSync, lstatSync, openSync, unlinkSync } from "node:fs";
import { ExportError } from "./export-error.js";
import { type OpenDirectory, entryPath } from "../../fs/index.js";

/** Differences between names that a file system does not see. */
export interface Folding {
  /** `a` and `A` are one name. */
  letterCase: boolean;
  /** A letter with its accent, and the two one after the other, are one name (NFC and NFD). */
  composition: boolean;
}

/**
 * Finds out how names are told apart in a directory, by a file that is there for a moment. Undefined where any two names
 * differ, and where no file can be made, which whoever writes next will be told.
 */
export function probeFolding(directory: OpenDirectory): Folding | undefined {
  const stem = `.slipway-${randomBytes(6).toString("hex")}.part-`;
  const at = (end: string) => entryPath(directory.prefix, Buffer.from(stem + end));
  const name = at("\u00e9a");
  try {
    closeSync(openSync(name, "wx", 0o600));
  } catch {
    return undefined;
  }
  const letterCase = exists(at("\u00e9A"));
  const composition = exists(at("e\u0301a"));
  unlinkSync(name);
  return letterCase || composition ? { letterCase, composition } : undefined;
}

/**
 * The names of an export's directories that are being listed, on a file system that takes some of them for one: there the
 * second would be written over the first (FLT-79).
 */
export class NameCollisions {
  readonly #folding: Folding;
  readonly #names = new Map<number, Map<string, Buffer>>();

  constructor(folding: Folding) {
    this.#folding = folding;
  }

  /**
   * Takes a name of the directory with that number.
   * @param pathOf gives a name as a path, for the message
   * @throws ExportError SESSION_EXPORT_IO when the directory has one that the file system takes for the same
   */
  add(directory: number, name: Buffer, pathOf: (name: Buffer) => string): void {
    let names = this.#names.get(directory);
    if (!names) this.#names.set(directory, (names = new Map()));
    const key = this.#fold(name.toString("utf8"));
    const other = names.get(key);
    if (other) {
      throw new ExportError(
        "SESSION_EXPORT_IO",
        `cannot write ${pathOf(name)}: its file system takes it for ${pathOf(other)}, which the export has too; export to a tar archive (type=tar) instead`,
      );
    }
    names.set(key, name);
  }

  /** No further name comes in the directory with that number. */
  leave(directory: number): void {
    this.#names.delete(directory);
  }

  #fold(name: string): string {
    const { letterCase, composition } = this.#folding;
    const composed = composition ? name.normalize("NFC") : name;
    return letterCase ? composed.toLowerCase() : composed;
  }
}

function exists(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
