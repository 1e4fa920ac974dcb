import { create } from "@bufbuild/protobuf";
import { type Platform, formatPlatform, normalizePlatform } from "../../builder/index.js";
import { pb, sourcepolicy } from "../../buildkit/index.js";
import type { SourceRules } from "../../build/index.js";
import { formatReference, isDigest, parseReference } from "../../registry/index.js";
import type { PolicyDecision, PolicyRequest } from "../../session/index.js";
import { gitSubdirectory } from "./materials.js";
import { replayErrors } from "./replay-error.js";
import { type Pin, type SourcePins, canonicalIdentifier, namedDigest } from "./source-pins.js";
import { commitKey } from "./snapshot-format.js";

/** Sources that come from here instead of from where they were recorded, by the digest of the material. */
export type Substitutes = ReadonlyMap<string, SourceReplacement>;

/** A source that takes the place of another. */
export interface SourceReplacement {
  identifier: string;
  attrs: Record<string, string>;
  /** The other attributes stay as they are. */
  keeps?: boolean;
}

/** What {@link pinnedSources} pins by. */
export interface PinnedSourcesInit {
  pins: SourcePins;
  /** Directories that the build may ask for. */
  locals: ReadonlySet<string>;
  substitutes: Substitutes;
}

/**
 * Lets a build have what was recorded and nothing else: every source gets the digest that it was recorded with, by which BuildKit checks
 * what it fetches (buildx v0.38 replay/policy.go).
 */
export function pinnedSources(init: PinnedSourcesInit): SourceRules {
  const served = new Set([...init.substitutes.values()].map(({ identifier }) => identifier));
  return {
    replaces: init.substitutes.size > 0,
    decide: (request) => decide(request, init, served),
    policy: () => staticPolicy(init),
  };
}

function decide(
  request: PolicyRequest,
  { pins, locals, substitutes }: PinnedSourcesInit,
  served: ReadonlySet<string>,
): PolicyDecision {
  const source = request.Source?.Source;
  const given = source?.identifier ?? "";
  if (!source || given === "") return denied("replay pin: request carried no source identifier");
  if (served.has(given) || locals.has(localName(given))) return { action: "allow" };
  const identifier = canonicalIdentifier(given);
  const platform = platformOf(request);
  const observed = observedDigest(request) ?? namedDigest(identifier);
  const found = pins.find(identifier, platform, observed);
  if (!found) return denied(notRecorded(pins, { identifier, given, platform, observed }));
  if (found.reason !== undefined) return denied(found.reason);
  const { digest } = found.pin;
  const isGit = identifier.startsWith("git://");
  const substitute = substitutes.get(isGit ? commitKey(digest, gitSubdirectory(identifier)) : digest);
  if (substitute) return converted(substitute.keeps ? withAttrs(substitute, source.attrs) : substitute);
  const pinned = pinnedSource({ identifier, attrs: source.attrs }, digest);
  if (!pinned) return denied(`replay pin: cannot enforce recorded digest for ${identifier}`);
  if (!isSame(pinned, { identifier: given, attrs: source.attrs })) return converted(pinned);
  if (observed === undefined || observed === digest) return { action: "allow" };
  return denied(`replay pin mismatch for ${identifier}: expected ${digest}, got ${observed}`);
}

/** The source with the attribute or the name by which BuildKit checks it; undefined for kinds that it does not check. */
function pinnedSource(
  { identifier, attrs }: SourceReplacement,
  digest: string,
): SourceReplacement | undefined {
  if (identifier.startsWith("docker-image://")) {
    if (!isDigest(digest)) return undefined;
    const reference = parseReference(identifier.slice("docker-image://".length));
    return {
      identifier: `docker-image://${formatReference({ ...reference, digest })}`,
      attrs: reference.digest === digest ? attrs : { ...attrs, "image.checksum": digest },
    };
  }
  const key = /^https?:\/\//.test(identifier)
    ? "http.checksum"
    : identifier.startsWith("git://")
      ? "git.checksum"
      : undefined;
  const value = key === "git.checksum" ? digest.slice(digest.indexOf(":") + 1) : digest;
  return key === undefined ? undefined : { identifier, attrs: { ...attrs, [key]: value } };
}

function withAttrs(
  { identifier, attrs }: SourceReplacement,
  given: Record<string, string>,
): SourceReplacement {
  return { identifier, attrs: { ...given, ...attrs } };
}

function isSame(a: SourceReplacement, b: SourceReplacement): boolean {
  const keys = new Set([...Object.keys(a.attrs), ...Object.keys(b.attrs)]);
  return a.identifier === b.identifier && [...keys].every((key) => a.attrs[key] === b.attrs[key]);
}

function converted({ identifier, attrs }: SourceReplacement): PolicyDecision {
  return { action: "convert", update: create(pb.SourceOpSchema, { identifier, attrs }) };
}

function denied(message: string): PolicyDecision {
  return { action: "deny", messages: [message] };
}

/** What the daemon has found out of the source, if it has. */
function observedDigest({ Source }: PolicyRequest): string | undefined {
  const image = Source?.Image?.Digest;
  const http = Source?.HTTP?.Checksum;
  const git = Source?.Git?.CommitChecksum;
  if (git) return isDigest(git) ? git : `${git.length === 64 ? "sha256" : "sha1"}:${git}`;
  return image || http || undefined;
}

function platformOf({ Platform: given }: PolicyRequest): Platform | undefined {
  if (!given) return undefined;
  const { OS: os, Architecture: architecture, Variant: variant } = given;
  return normalizePlatform({ os, architecture, ...(variant && { variant }) });
}

function localName(identifier: string): string {
  return identifier.startsWith("local://") ? identifier.slice("local://".length) : "";
}

function notRecorded(
  pins: SourcePins,
  about: { identifier: string; given: string; platform: Platform | undefined; observed: string | undefined },
): string {
  const { identifier, given, platform, observed } = about;
  const target = [
    `uri=${given}${observed === undefined || given.includes("@") ? "" : `@${observed}`}`,
    ...(identifier === given ? [] : [`canonical=${identifier}`]),
    ...(platform ? [`platform=${formatPlatform(platform)}`] : []),
  ].join(" ");
  const { shown } = pins;
  const recorded = shown.length === 0 ? [] : ["  provenance materials:", ...shown.map((one) => `  - ${one}`)];
  return [
    `replay pin: no provenance material matched requested source`,
    `  target: ${target}`,
    ...recorded,
  ].join("\n");
}

/** The same as rules: nothing is allowed but what was recorded, which is replaced by what has the digest. */
function staticPolicy({ pins, locals, substitutes }: PinnedSourcesInit): sourcepolicy.Policy {
  if (substitutes.size > 0)
    throw replayErrors.unsupported(
      "replay with --materials sources on this BuildKit: it takes no other source for one that it asks for, which needs 0.27 or later",
    );
  const { ALLOW, CONVERT, DENY } = sourcepolicy.PolicyAction;
  const { EXACT, REGEX } = sourcepolicy.MatchType;
  const rules = [
    { action: DENY, selector: { identifier: "^", matchType: REGEX } },
    ...[...locals].map((name) => ({
      action: ALLOW,
      selector: { identifier: `local://${name}`, matchType: EXACT },
    })),
    ...pins.entries().flatMap(([identifier, pin]) => {
      const pinned = oldPinnedSource(identifier, pin);
      if (!pinned) return [];
      const constraints = Object.entries(pinned.attrs).map(([key, value]) => ({
        key,
        value,
        condition: sourcepolicy.AttrMatch.EQUAL,
      }));
      return [
        // By a pattern: the name of what is selected exactly cannot be replaced (BK sourcepolicy/formatter.go).
        {
          action: CONVERT,
          selector: { identifier: `^${escapedPattern(identifier)}$`, matchType: REGEX },
          updates: { ...pinned, identifier: pinned.identifier.replaceAll("$", "$$$$") },
        },
        { action: ALLOW, selector: { identifier: pinned.identifier, matchType: EXACT, constraints } },
      ];
    }),
  ];
  return create(sourcepolicy.PolicySchema, { version: 1n, rules });
}

/** A text as a pattern of Go. */
function escapedPattern(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
}

/**
 * BuildKit before 0.27 knows no attribute that checks a commit; the commit takes the place of the branch. Images are asked for again by
 * their digest, without the attributes that they were given.
 */
function oldPinnedSource(identifier: string, { digest }: Pin): SourceReplacement | undefined {
  if (identifier.startsWith("pkg:")) return undefined;
  const pinned = pinnedSource({ identifier, attrs: {} }, digest);
  if (!identifier.startsWith("git://"))
    return identifier.startsWith("http") ? pinned : pinned && { ...pinned, attrs: {} };
  const [repository = "", fragment = ""] = identifier.split("#");
  const at = fragment.indexOf(":");
  const subdir = at < 0 ? "" : fragment.slice(at);
  return { identifier: `${repository}#${digest.slice(digest.indexOf(":") + 1)}${subdir}`, attrs: {} };
}
