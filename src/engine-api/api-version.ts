import { InvalidArgumentError } from "../core/index.js";
import { EngineError } from "./errors.js";

/** Oldest API slipway works with: Docker Engine 20.10. */
export const minimumApiVersion = "1.41";
/** The newest API that slipway knows. With a newer engine it speaks this one. */
export const maximumApiVersion = "1.56";

/**
 * The version to speak with an engine that offers `offered` (its `Api-Version` header): the lower of the engine's and
 * slipway's.
 *
 * @throws EngineError `ENGINE_VERSION` when there is no common one, or no header at all.
 */
export function negotiateApiVersion(offered: string | undefined, host: string): string {
  if (offered === undefined || !isVersion(offered)) {
    throw new EngineError(
      "ENGINE_VERSION",
      `what answers at ${host} is not a Docker engine: its answer to /_ping has no Api-Version`,
    );
  }
  if (compareApiVersions(offered, minimumApiVersion) < 0) {
    throw new EngineError(
      "ENGINE_VERSION",
      `the engine at ${host} is too old: it speaks API ${offered}, slipway needs ${minimumApiVersion} (Docker Engine 20.10) or newer`,
    );
  }
  return compareApiVersions(offered, maximumApiVersion) < 0 ? offered : maximumApiVersion;
}

/**
 * A version the user asks for (`DOCKER_API_VERSION`); a leading `v` is ignored as docker does.
 *
 * @throws InvalidArgumentError when it is malformed or below the floor.
 */
export function pinnedApiVersion(text: string): string {
  const version = text.replace(/^v/, "");
  if (!isVersion(version)) throw new InvalidArgumentError(`invalid API version ${JSON.stringify(text)}`);
  if (compareApiVersions(version, minimumApiVersion) < 0) {
    throw new InvalidArgumentError(
      `API version ${version} is too old: slipway needs ${minimumApiVersion} (Docker Engine 20.10) or newer`,
    );
  }
  return version;
}

/** Negative when `a` is older than `b`, 0 when equal. */
export function compareApiVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split(".").map(Number);
  const [majorB = 0, minorB = 0] = b.split(".").map(Number);
  return majorA - majorB || minorA - minorB;
}

function isVersion(text: string): boolean {
  return /^\d{1,3}\.\d{1,4}$/.test(text);
}
