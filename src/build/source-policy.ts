import { type JsonValue, fromBinary, fromJson } from "@bufbuild/protobuf";
import { sourcepolicy } from "../buildkit/index.js";
import { type Environment, textOf } from "../config/index.js";
import { InvalidArgumentError, messageOf, parseJson, throwIfAborted } from "../core/index.js";
import { readBounded } from "../fs/index.js";

/** Largest policy, in bytes: it goes into one message to the builder. */
const largestPolicy = 4 << 20;

/**
 * The source policy in the file that EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names (buildx v0.36 build/opt.go); undefined
 * without one.
 *
 * @throws InvalidArgumentError that names the file.
 */
export async function sourcePolicy(
  env: Environment,
  signal?: AbortSignal,
): Promise<sourcepolicy.Policy | undefined> {
  const path = env["EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"];
  if (!path) return undefined;
  try {
    const content = await readBounded(path, { limit: largestPolicy, special: "read", signal });
    try {
      return fromJson(sourcepolicy.PolicySchema, parseJson(textOf(content)) as JsonValue);
    } catch (error) {
      const policy = fromBytes(content);
      if (policy) return policy;
      throw error;
    }
  } catch (error) {
    throwIfAborted(signal);
    throw new InvalidArgumentError(`cannot use the source policy ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The other form that buildx takes: the message itself. Much that is none, such as blanks, would pass as one of unknown fields. */
function fromBytes(content: Uint8Array): sourcepolicy.Policy | undefined {
  try {
    const policy = fromBinary(sourcepolicy.PolicySchema, content);
    return policy.$unknown ? undefined : policy;
  } catch {
    return undefined;
  }
}
