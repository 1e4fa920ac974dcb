import { type NewBuilderOptions, parseDriverOptFlags } from "../builder/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";
import { listInput } from "./list-input.js";

/** What one more node of a builder is made of. */
export type AppendedNode = Pick<
  NewBuilderOptions,
  "node" | "endpoint" | "driver" | "driverOpts" | "buildkitdFlags" | "platforms"
>;

/** What a node may have (docker/setup-buildx-action, nodes.ts). */
const keys = ["name", "endpoint", "driver", "driver-opts", "buildkitd-flags", "platforms"] as const;

/**
 * The nodes of the input `append`: a YAML sequence of mappings, as docker/setup-buildx-action has it. Lists are sequences, or texts
 * with a value a line.
 *
 * @throws InvalidArgumentError that names what is wrong with it
 */
export async function appendedNodes(text: string): Promise<AppendedNode[]> {
  if (text.trim() === "") return [];
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(text, { logLevel: "error" });
  } catch (cause) {
    throw new InvalidArgumentError(`the input append is no YAML: ${messageOf(cause)}`, { cause });
  }
  if (!Array.isArray(value))
    throw new InvalidArgumentError(
      "the input append has to be a YAML sequence of nodes, such as - endpoint: tcp://a:1234",
    );
  return value.map(nodeOf);
}

/** Quotes stay: what a flag says is CSV. */
function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function nodeOf(value: unknown, index: number): AppendedNode {
  const what = `node ${index + 1} of the input append`;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgumentError(`${what} has to be a mapping of ${keys.join(", ")}`);
  const given = new Map(Object.entries(value));
  for (const key of given.keys())
    if (!(keys as readonly string[]).includes(key))
      throw new InvalidArgumentError(`${what} has no ${key}: there are ${keys.join(", ")}`);
  const text = (key: (typeof keys)[number]) => {
    const found: unknown = given.get(key) ?? undefined;
    if (found !== undefined && typeof found !== "string" && typeof found !== "number")
      throw new InvalidArgumentError(`${key} of ${what} has to be a text`);
    return found === undefined || found === "" ? undefined : String(found);
  };
  const list = (key: (typeof keys)[number], split: (text: string) => string[]) => {
    const found: unknown = given.get(key);
    if (!Array.isArray(found)) return split(text(key) ?? "");
    if (!found.every((one): one is string => typeof one === "string"))
      throw new InvalidArgumentError(`${key} of ${what} has to be a list of texts`);
    return found;
  };
  return {
    node: text("name"),
    endpoint: text("endpoint"),
    driver: text("driver"),
    driverOpts: parseDriverOptFlags(list("driver-opts", lines)),
    buildkitdFlags: text("buildkitd-flags"),
    platforms: list("platforms", listInput),
  };
}
