import type { PolicyRequest } from "../../session/index.js";
import { formatReference, parseReference, repositoryName } from "../../registry/index.js";
import { withoutCredentials } from "../git-info.js";
import type { NamedImage, PolicySource, SourceFacts } from "./source-policy.js";
import type { SourceMetadata } from "./source-metadata.js";

/** Lets the builder find out more about a source. */
export type ResolveSource = (wanted: {
  attestations?: boolean | readonly string[];
  objects?: boolean;
}) => Promise<SourceMetadata>;

/** A source as a policy sees it. */
export function describeSource(
  request: PolicyRequest,
  { signal, resolve }: { signal: AbortSignal; resolve: ResolveSource },
): PolicySource {
  const { identifier, attrs } = sourceOf(request);
  const platform = platformOf(request);
  const facts: SourceFacts = {
    identifier: withoutCredentials(identifier),
    attrs: { ...attrs },
    signal,
    ...(platform !== "" && { platform }),
  };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(identifier)?.[1] ?? "";
  const rest = identifier.slice(scheme.length + "://".length);
  const by = resolve as (wanted?: object) => Promise<never>;
  // What the builder is asked for has no more than these, whatever was given.
  switch (scheme) {
    case "docker-image":
    case "oci-layout": {
      const named = namedImage(rest);
      if (!named) break;
      if (scheme === "oci-layout") return { ...facts, type: scheme, ...named, resolve: () => by({}) };
      return {
        ...facts,
        type: "image",
        ...named,
        resolve: ({ attestations = false } = {}) => by({ attestations }),
      };
    }
    case "git":
      return gitSource(facts, rest, by);
    case "http":
    case "https":
      return {
        ...facts,
        type: "http",
        url: facts.identifier,
        ...optional("checksum", attrs["http.checksum"]),
        resolve: () => by({}),
      };
    case "local":
      return { ...facts, type: "local", name: rest };
  }
  return { ...facts, type: "other", scheme };
}

/** What the builder asks about: its name and attributes as they came. */
export function sourceOf({ Source }: PolicyRequest): { identifier: string; attrs: Record<string, string> } {
  return Source?.Source ?? { identifier: "", attrs: {} };
}

/** `linux/arm64/v8`; empty for none. */
export function platformOf({ Platform }: PolicyRequest): string {
  return Platform ? [Platform.OS, Platform.Architecture, Platform.Variant].filter(Boolean).join("/") : "";
}

function namedImage(ref: string): NamedImage | undefined {
  try {
    const parsed = parseReference(ref);
    return {
      ref: formatReference(parsed),
      domain: parsed.domain,
      repository: repositoryName(parsed),
      ...optional("tag", parsed.tag),
      ...optional("digest", parsed.digest),
    };
  } catch {
    return undefined; // a builder that names what is no image
  }
}

/** What is cloned is the attribute, where there is one: older builders do not compare the two. */
function gitSource(
  facts: SourceFacts,
  rest: string,
  resolve: (wanted?: object) => Promise<never>,
): PolicySource {
  const [remote, fragment = ""] = splitOnce(rest, "#");
  const [ref, subdir] = splitOnce(fragment, ":");
  return {
    ...facts,
    type: "git",
    url: withoutCredentials(facts.attrs["git.fullurl"] ?? `https://${remote}`),
    ...optional("ref", ref || undefined),
    ...optional("subdir", subdir || undefined),
    ...optional("checksum", facts.attrs["git.checksum"]),
    resolve: ({ objects = false } = {}) => resolve({ objects }),
  };
}

function splitOnce(text: string, by: string): [string, string | undefined] {
  const at = text.indexOf(by);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}

function optional<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: string };
}
