import { SlipwayError, type SlipwayErrorOptions } from "../../core/index.js";

/** What is wrong with a build's record. */
export type HistoryErrorCode =
  /** The builder remembers no such build. */
  | "HISTORY_NOT_FOUND"
  /** The record lacks what was asked for: a trace, an attachment. */
  | "HISTORY_MISSING"
  /** Records could not be removed. */
  | "HISTORY_REMOVE"
  /** The builder says more of a build than anything of it needs. */
  | "HISTORY_TOO_LARGE"
  /** The builder says of a build what makes no sense. */
  | "HISTORY_INVALID"
  /** Docker Desktop is needed, and is not there or did not answer as it should. */
  | "HISTORY_DESKTOP";

/** A builder's history does not have what was asked for. */
export class HistoryError extends SlipwayError {
  declare readonly code: HistoryErrorCode;

  constructor(code: HistoryErrorCode, message: string, options: SlipwayErrorOptions = {}) {
    super(code, message, options);
  }
}
