import { InvalidArgumentError } from "./errors.js";
import { type Kinds, nameOf } from "./kinds.js";
import { nearestName } from "./nearest-name.js";
import { ownSignal } from "./own-signal.js";

/**
 * The options that a program gave, checked and ready to use: without those that are undefined, which means not given, and with a
 * signal of this realm. `of` is what takes them, as in `build()`.
 *
 * @throws InvalidArgumentError for a name that is not known, with the one it was most likely meant to be, and for a value of
 * another kind, naming the option and where in it the fault lies; never the value, which may be a secret.
 */
export function readOptions<T extends object>(of: string, given: T, kinds: Kinds): T {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError(`${of} takes an object of options, not ${nameOf(given)}`);
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!kind) throw unknownOption(of, name, Object.keys(kinds));
    const fault = kind.fault(value);
    if (fault) throw new InvalidArgumentError(`the option ${name}${fault.path} ${fault.problem}`);
    options[name] = name === "signal" ? ownSignal(value as AbortSignal) : value;
  }
  return options as T;
}

function unknownOption(of: string, name: string, known: readonly string[]): InvalidArgumentError {
  // As it is written on the command line, too: no-cache, build-arg.
  const bare = (text: string) => text.replaceAll(/[-_]/g, "").toLowerCase();
  const nearest = nearestName(bare(name), known.map(bare));
  const meant = known.find((one) => bare(one) === nearest);
  return new InvalidArgumentError(
    `${of} has no option ${JSON.stringify(name)}${meant === undefined ? "" : `, did you mean ${meant}?`}`,
  );
}
