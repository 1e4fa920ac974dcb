import { messageOf } from "../core/index.js";
import { type BoundedRead, FileReadError, readIfThere } from "../fs/index.js";
import { ConfigError, invalidConfig } from "./config-error.js";

/** Longest configuration file that is read, bytes. Real ones are a few kilobytes. */
const maxConfigBytes = 16 * 1024 * 1024;

/** How a configuration file is read; `limit` in bytes. */
export type ConfigRead = Partial<Pick<BoundedRead, "limit" | "signal" | "special">>;

/**
 * Reads a configuration file; `undefined` when it does not exist.
 *
 * @throws ConfigError `CONFIG_UNREADABLE` or, when too long, `CONFIG_INVALID`; both name the path. AbortedError.
 */
export async function readConfigFile(path: string, options: ConfigRead = {}): Promise<Buffer | undefined> {
  const { limit = maxConfigBytes } = options;
  try {
    return await readIfThere(path, { ...options, limit });
  } catch (error) {
    if (!(error instanceof FileReadError)) throw error;
    if (error.errno === "EFBIG") throw invalidConfig(path, `is longer than ${limit} bytes`);
    throw new ConfigError("CONFIG_UNREADABLE", path, messageOf(error), { cause: error });
  }
}
