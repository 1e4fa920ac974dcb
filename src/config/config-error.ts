import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/** What is wrong with a configuration: broken file, unreadable file, or a context that does not exist. */
export type ConfigErrorCode = "CONFIG_INVALID" | "CONFIG_UNREADABLE" | "CONTEXT_NOT_FOUND";

/** A file of the configuration cannot be used. `path` is the file; the message names it too. */
export class ConfigError extends SlipwayError {
  readonly path: string;

  constructor(code: ConfigErrorCode, path: string, message: string, options: SlipwayErrorOptions = {}) {
    super(code, message, options);
    this.path = path;
  }
}

/** The error of a file whose content is wrong; the message is `<path>: <problem>`. */
export function invalidConfig(path: string, problem: string, cause?: unknown): ConfigError {
  return new ConfigError("CONFIG_INVALID", path, `${path}: ${problem}`, { cause });
}
