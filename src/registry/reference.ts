import { InvalidArgumentError, messageOf } from "../core/index.js";
import { isDigest } from "./digest.js";

/** A normalised image reference (distribution/reference): at least a domain and a path. */
export interface ImageReference {
  /** Registry as named in references, e.g. `docker.io`, `localhost:5000`; see `registryHost` for where it lives. */
  domain: string;
  /** Repository within the registry, e.g. `library/alpine`. */
  path: string;
  tag?: string;
  /** `sha256:…` */
  digest?: string;
}

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const maxPathLength = 255;
/** More than any valid reference has; keeps the patterns' work bounded. */
const maxReferenceLength = 2048;

/**
 * Parses a reference as people write it: `alpine` is `docker.io/library/alpine`. Neither tag nor digest is added
 * (see {@link withDefaultTag}) (distribution/reference `ParseNormalizedNamed`).
 *
 * @throws InvalidArgumentError `invalid reference format …`, naming the text.
 */
export function parseReference(text: string): ImageReference {
  const quoted = JSON.stringify(text.slice(0, maxReferenceLength));
  const invalid = () => new InvalidArgumentError(`invalid reference format: ${quoted}`);
  if (text.length > maxReferenceLength) throw invalid();
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw new InvalidArgumentError(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const [domain, remainder] = splitDomain(text);
  const match = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/s.exec(remainder);
  const [, path = "", tag, digest] = match ?? [];
  if (path !== path.toLowerCase()) {
    throw new InvalidArgumentError(
      `invalid reference format: repository name (${path}) must be lowercase: ${quoted}`,
    );
  }
  if (!domainPattern.test(domain) || !pathPattern.test(path)) throw invalid();
  if (path.length > maxPathLength) {
    throw new InvalidArgumentError(
      `repository name must not be more than ${maxPathLength} characters: ${quoted}`,
    );
  }
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid();
  if (digest !== undefined && !isDigest(digest)) throw invalid();
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** `domain/path[:tag][@digest]` */
export function formatReference(reference: ImageReference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The form people use: without `docker.io/` and `library/` where they go without saying. */
export function familiarReference(reference: ImageReference): string {
  return familiarName(reference) + suffix(reference);
}

/** `domain/path` */
export function repositoryName(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The reference with tag `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: "latest" }
    : reference;
}

/**
 * The name under which the frontend looks up a named context: an image reference in its familiar form without
 * `:latest` (buildx util/buildflags/context.go).
 *
 * @throws InvalidArgumentError naming the context.
 */
export function normalizeContextName(name: string): string {
  let reference: ImageReference;
  try {
    reference = parseReference(name);
  } catch (error) {
    throw new InvalidArgumentError(`invalid context name ${name}: ${messageOf(error)}`, { cause: error });
  }
  return familiarReference(reference).replace(/:latest$/, "");
}

function familiarName({ domain, path }: ImageReference): string {
  if (domain !== "docker.io") return `${domain}/${path}`;
  const official = /^library\/([^/]+)$/.exec(path);
  return official?.[1] ?? path;
}

function suffix({ tag, digest }: ImageReference): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/** A first element is a domain when it looks like one: a dot, a colon, a capital, or `localhost`. */
function splitDomain(text: string): [string, string] {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = !isDomain || first === "index.docker.io" ? "docker.io" : first;
  const rest = isDomain ? text.slice(slash + 1) : text;
  return [domain, domain === "docker.io" && !rest.includes("/") ? `library/${rest}` : rest];
}
