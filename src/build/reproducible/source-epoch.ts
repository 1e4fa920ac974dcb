import { attestationAttrs } from "../plan-attestations.js";
import { unsteadyExports } from "./reproducible-exports.js";
import { InvalidArgumentError, messageOf, throwIfAborted } from "../../core/index.js";
import type { Environment } from "../../config/index.js";
import { gitIn } from "../git-command.js";

/** The time that everything in the image is said to be of. */
export interface SourceEpoch {
  /** Seconds since 1970, as BuildKit gets it. */
  value: string;
  /** Where it comes from, in words. */
  from: string;
  /** What the user should know. */
  warning?: string;
}

/** What {@link sourceEpoch} takes. */
export interface SourceEpochQuery {
  /** SOURCE_DATE_EPOCH as it was given, by argument or environment. */
  given: string | undefined;
  /** Absolute; undefined for a context that is no directory. */
  contextDirectory: string | undefined;
  env: Environment;
  signal?: AbortSignal | undefined;
}

/**
 * The time for a reproducible build: the given one, else that of the last commit of the repository that the context is in, else 0.
 *
 * @throws InvalidArgumentError for one that is no number of seconds
 */
export async function sourceEpoch({
  given,
  contextDirectory,
  ...options
}: SourceEpochQuery): Promise<SourceEpoch> {
  if (given !== undefined) {
    if (/^\d{1,11}$/.test(given)) return { value: given, from: "as given" };
    throw new InvalidArgumentError(
      `a reproducible build needs SOURCE_DATE_EPOCH in seconds since 1970, not ${JSON.stringify(given)}`,
    );
  }
  const none = { value: "0", from: "there is no commit to take it from" };
  if (contextDirectory === undefined) return none;
  try {
    const git = await gitIn(contextDirectory, options);
    if (!git) return none;
    const time = await git("log", "-1", "--format=%ct", "HEAD");
    return /^\d{1,11}$/.test(time) ? { value: time, from: "the last commit" } : none;
  } catch (error) {
    throwIfAborted(options.signal);
    const why = messageOf(error).trim();
    // As git says it of no repository, and of one without a commit.
    if (/not a git repository|unknown revision|ambiguous argument/.test(why)) return none;
    return { ...none, warning: `the time of the last commit was not found: ${why}` };
  }
}

/** What in the options gives another result each time, or elsewhere. */
export function unsteadyOptions(
  options: Parameters<typeof attestationAttrs>[0],
  exports: Parameters<typeof unsteadyExports>[0],
  env: Environment,
): string[] {
  const attested =
    "attestations tell when and how it was built: the index has another digest each time, the images in it the same";
  return [...unsteadyExports(exports), ...(attestationAttrs(options, env).isAsked ? [attested] : [])];
}
