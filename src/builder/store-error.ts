import { SlipwayError, type SlipwayErrorOptions } from "../core/index.js";

/**
 * What went wrong with the stored builders: none of that name, a file that cannot be understood, read or written, one
 * that a later version wrote, or a change that the builder's state does not allow.
 */
export type StoreErrorCode =
  | "STORE_NO_BUILDER"
  | "STORE_CORRUPT"
  | "STORE_UNREADABLE"
  | "STORE_UNWRITABLE"
  | "STORE_NEWER"
  | "STORE_SHARED"
  | "STORE_REFUSED";

/** An error of the builder store. `path` is the file, where it is about one. */
export class StoreError extends SlipwayError {
  declare readonly code: StoreErrorCode;
  readonly path: string | undefined;

  constructor(code: StoreErrorCode, message: string, options: SlipwayErrorOptions & { path?: string } = {}) {
    super(code, message, options);
    this.path = options.path;
  }
}
