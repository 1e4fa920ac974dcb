import { open } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { messageOf } from "../core/index.js";
import { ConfigError, invalidConfig } from "./config-error.js";

/** Longest configuration file that is read, bytes. Real ones are a few kilobytes. */
const maxConfigBytes = 16 * 1024 * 1024;

/**
 * Reads a regular file of at most `limit` bytes; `undefined` when it does not exist.
 *
 * @throws ConfigError `CONFIG_UNREADABLE` or, when too long, `CONFIG_INVALID`; both name the path.
 */
export async function readConfigFile(path: string, limit = maxConfigBytes): Promise<Buffer | undefined> {
  let handle;
  try {
    handle = await open(path, "r");
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) return Buffer.concat(chunks, length);
      length += bytesRead;
      if (length > limit) throw invalidConfig(path, `is longer than ${limit} bytes`);
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof ConfigError) throw error;
    // Node names the path in errors of open(2), but not in those of read(2).
    const text = messageOf(error);
    const shown = isAbsolute(path) && text.includes(path) ? text : `${text}: ${path}`;
    throw new ConfigError("CONFIG_UNREADABLE", path, `cannot read ${shown}`, { cause: error });
  } finally {
    await handle?.close();
  }
}
