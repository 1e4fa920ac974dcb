import { parseGoBool } from "../../config/index.js";
import { InvalidArgumentError } from "../../core/index.js";
import { parseFields } from "./fields.js";

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
 */
export function parseCall(text: string | undefined): CallRequest | undefined {
  if (text === undefined || text === "" || text === "build") return undefined;
  const call = { name: "", format: "", ignoreStatus: false };
  for (const [key, value] of parseFields(text)) {
    if (value === undefined) call.name = key === "check" ? "lint" : key;
    else if (key === "format") call.format = value;
    else if (key === "ignorestatus") {
      const flag = parseGoBool(value);
      if (flag === undefined)
        throw new InvalidArgumentError(`invalid value ignorestatus=${value} in call ${JSON.stringify(text)}`);
      call.ignoreStatus = flag;
    } else throw new InvalidArgumentError(`invalid option ${key} in call ${JSON.stringify(text)}`);
  }
  if (call.name === "" || call.name === "build") return undefined;
  return call;
}
