import { InvalidArgumentError, type Kinds, readOptions } from "../core/index.js";

/**
 * The options of a build, as `readOptions()` gives them.
 *
 * @throws InvalidArgumentError
 */
export function readBuildOptions<T extends object>(of: string, given: T, kinds: Kinds): T {
  const options: T & { context?: unknown } = readOptions(of, given, kinds);
  if (options.context === undefined)
    throw new InvalidArgumentError('the option context is missing; "." is the current directory');
  return options;
}
