import type { Environment } from "../config/index.js";
import type { SecretInput } from "./parse/secret.js";

/** Secrets of BuildKit's for git, each with the variable that a bake takes it from (buildx v0.38 bake/gitauth.go). */
const variables = [
  ["GIT_AUTH_TOKEN", "BUILDX_BAKE_GIT_AUTH_TOKEN"],
  ["GIT_AUTH_HEADER", "BUILDX_BAKE_GIT_AUTH_HEADER"],
] as const;

/** What the environment says that git may show to the host of an address; names are compared without case. */
export function gitAuthSecrets(url: string, env: Environment): Record<string, SecretInput> {
  const host = gitHost(url);
  if (host === undefined) return {};
  const secrets: Record<string, SecretInput> = {};
  for (const [id, variable] of variables) {
    const name = Object.keys(env).find((key) => key.toUpperCase() === variable && env[key] !== undefined);
    if (name !== undefined) secrets[`${id}.${host}`] = { env: name };
  }
  return secrets;
}

/** The host of a git or http(s) address, with its port, as it is written; undefined for what has none. */
export function gitHost(url: string): string | undefined {
  const authority = /^[a-z]+:\/\/([^/?#]*)/.exec(url)?.[1];
  if (authority !== undefined) return authority.slice(authority.lastIndexOf("@") + 1) || undefined;
  return /^[a-zA-Z0-9_-]+@([a-zA-Z0-9.-]+):/.exec(url)?.[1];
}
