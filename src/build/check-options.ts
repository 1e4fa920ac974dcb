import { InvalidArgumentError } from "../core/index.js";
import type { BuildOptions } from "./build-options.js";

/** Options that are lists, with what one entry looks like. */
const lists = {
  tags: '"app:1"',
  platforms: '"linux/amd64"',
  noCacheFilter: '"stage"',
  addHosts: '"host:127.0.0.1"',
  ulimits: '"nofile=1024"',
  resources: '"memory=2g"',
  ssh: '"default"',
  allow: '"network.host"',
  policies: '"disabled=true"',
  cacheFrom: '{ type: "inline" }',
  cacheTo: '{ type: "inline" }',
  attests: '"type=sbom"',
  annotations: '"key=value"',
  outputs: '{ type: "cacheonly" }',
} satisfies Partial<Record<keyof BuildOptions, string>>;

/**
 * Finds what a program without types easily gets wrong, and what would otherwise show as something else much later.
 *
 * @throws InvalidArgumentError
 */
export function checkOptions(options: Readonly<Record<string, unknown>>): void {
  if (options["context"] === undefined || options["context"] === null)
    throw new InvalidArgumentError('the option context is missing; "." is the current directory');
  for (const [name, entry] of Object.entries(lists)) {
    const value = options[name];
    if (value !== undefined && !Array.isArray(value))
      throw new InvalidArgumentError(`the option ${name} must be a list, such as [${entry}]`);
  }
}
