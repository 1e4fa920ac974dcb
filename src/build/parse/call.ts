import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { csv, splitPair } from "./fields.js";

/** A question to the frontend instead of a build (BK frontend/subrequests). */
export interface CallRequest {
  /** Name without the `frontend.` in front: `outline`, `targets`, `lint`, `subrequests.describe`. */
  name: string;
  /** `json` for the raw answer; empty for text. */
  format: string;
  /** Do not let the answer's status decide the exit code. */
  ignoreStatus: boolean;
}

/**
 * Parses a value of `--call`: `name[,format=json][,ignorestatus=bool]`; `check` is `lint`, `build` and nothing are a
 * build (buildx util/buildflags/call.go).
 *
 * @throws InvalidArgumentError for two names, an option that is not known, or a value that is no boolean.
 */
export function parseCall(text: string | undefined): CallRequest | undefined {
  if (text === undefined || text === "" || text === "build") return undefined;
  const call = { name: "", format: "", ignoreStatus: false };
  for (const field of csv(text)) {
    const [key, value] = splitPair(field);
    if (value === undefined) {
      if (call.name !== "") throw new InvalidArgumentError(`invalid print value: ${text}`);
      call.name = key;
    } else if (key === "format") call.format = value;
    else if (key === "ignorestatus") {
      const flag = parseGoBool(value);
      if (flag === undefined)
        throw new InvalidArgumentError(
          `invalid ignorestatus print value: ${value}: ${JSON.stringify(value)} is not a boolean`,
        );
      call.ignoreStatus = flag;
    } else throw new InvalidArgumentError(`invalid print field: ${field}`);
  }
  if (call.name === "check") call.name = "lint";
  return call.name === "" || call.name === "build" ? undefined : call;
}
