import { readFile } from "node:fs/promises";
import { type JsonValue, fromJson } from "@bufbuild/protobuf";
import { sourcepolicy } from "../buildkit/index.js";
import type { Environment } from "../config/index.js";
import { InvalidArgumentError, messageOf } from "../core/index.js";

/**
 * The source policy in the file that EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names (buildx v0.36 build/opt.go); undefined
 * without one.
 *
 * @throws InvalidArgumentError that names the file.
 */
export async function sourcePolicy(env: Environment): Promise<sourcepolicy.Policy | undefined> {
  const path = env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"];
  if (!path) return undefined;
  try {
    const json = JSON.parse(await readFile(path, "utf8")) as JsonValue;
    return fromJson(sourcepolicy.PolicySchema, json);
  } catch (error) {
    throw new InvalidArgumentError(`cannot use the source policy ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
