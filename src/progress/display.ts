import type { Environment } from "../config/index.js";
import { InvalidArgumentError, readOptions } from "../core/index.js";
import { renderKinds } from "./option-kinds.js";
import { ciSystem } from "./ci-commands.js";
import { grouped } from "./grouped.js";
import type { ProgressSink, ProgressStream, RenderOptions } from "./options.js";
import { plain } from "./plain.js";
import { quiet } from "./quiet.js";
import { rawjson } from "./rawjson.js";
import { terminal } from "./terminal.js";

/** The kinds of progress output that `--progress` takes. */
export type ProgressMode = "auto" | "tty" | "plain" | "rawjson" | "quiet" | "none";

/**
 * The renderer for a value of `--progress`. `auto` takes BUILDKIT_PROGRESS first, then the terminal display where the
 * stream is a terminal (other than `TERM=dumb`, which knows no cursor movement); elsewhere groups and annotations on
 * GitHub Actions and GitLab, and plain text on the rest.
 *
 * @throws InvalidArgumentError for an unknown mode, and for `tty` on a stream that is no terminal.
 */
export function display(
  mode: string,
  stream: ProgressStream,
  env: Environment = process.env,
  options: Omit<RenderOptions, "env"> = {},
): ProgressSink {
  const chosen = mode === "auto" && env.BUILDKIT_PROGRESS ? env.BUILDKIT_PROGRESS : mode;
  const all = readOptions("display()", { ...options, env }, renderKinds);
  switch (chosen) {
    case "":
    case "auto":
      if (stream.isTTY) return env.TERM === "dumb" ? plain(stream, all) : terminal(stream, all);
      return ciSystem(env) ? grouped(stream, all) : plain(stream, all);
    case "tty":
      if (!stream.isTTY)
        throw new InvalidArgumentError("failed to get console: provided file is not a console");
      return terminal(stream, all);
    case "plain":
      return plain(stream, all);
    case "rawjson":
      return rawjson(stream);
    case "quiet":
    case "none":
      return quiet(stream);
    default:
      throw new InvalidArgumentError(`invalid progress mode ${chosen}`);
  }
}
