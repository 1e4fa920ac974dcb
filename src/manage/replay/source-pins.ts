import { type Platform, formatPlatform, normalizePlatform, onlyStrict } from "../../builder/index.js";
import { formatReference, isDigest, parseReference } from "../../registry/index.js";
import { type Material, material, preferredDigest, sourceIdentifier } from "./materials.js";
import type { Provenance } from "./provenance.js";
import { parseImagePurl } from "./purl.js";
import { replayErrors } from "./replay-error.js";

/** A digest that a source was recorded with. */
export interface Pin {
  digest: string;
  platform?: Platform;
  material: Material;
}

/** What was found for a source: its pin, or why there is none; undefined when nothing of its name was recorded. */
export type Found = { pin: Pin; reason?: undefined } | { reason: string; pin?: undefined } | undefined;

/**
 * The materials of a build by the identifiers that BuildKit asks for. One name may stand for several digests (a tag that moved meanwhile,
 * platforms of one image); then the platform decides, and if that does not, nothing (buildx v0.38 replay/policy.go).
 */
export class SourcePins {
  readonly #pins = new Map<string, Pin[]>();
  /** Names without the digest that they were recorded with. */
  readonly #aliases = new Map<string, Pin[]>();
  readonly #shown = new Set<string>();

  /** @throws ReplayError for a material that names one digest and is recorded with another */
  constructor({ materials, configSource }: Provenance) {
    const { uri, digests } = configSource;
    const context = uri !== "" && preferredDigest(digests) !== undefined ? [material(uri, digests)] : [];
    for (const one of [...materials, ...context]) this.#add(one);
  }

  /** The recorded materials, sorted, for messages. */
  get shown(): string[] {
    return [...this.#shown].sort();
  }

  /** The pin of a source. `observed` is the digest that it has or names, if that is known. */
  find(identifier: string, platform?: Platform, observed?: string): Found {
    const keys = [identifier, aliasOf(identifier)].filter((key) => key !== undefined);
    for (const map of [this.#pins, this.#aliases])
      for (const key of keys) {
        const pins = map.get(key);
        if (pins) return select(pins, { source: key, platform, observed });
      }
    return undefined;
  }

  /** All pins with a source of their own, one an identifier; identifiers with more than one digest are left out. */
  entries(): [string, Pin][] {
    return [...new Map([...this.#aliases, ...this.#pins])].flatMap(([identifier, pins]): [string, Pin][] => {
      const { pin } = select(pins, { source: identifier }) ?? {};
      return pin ? [[identifier, pin]] : [];
    });
  }

  #add(one: Material): void {
    const identifier = identifierOf(one);
    if (one.uri !== "") this.#shown.add(shownMaterial(one, identifier));
    const { digest, platform, uri } = one;
    if (digest === undefined) return;
    const pin: Pin = { digest, ...(platform && { platform }), material: one };
    if (uri !== "") add(this.#pins, uri, pin);
    if (identifier === undefined) return;
    add(this.#pins, identifier, pin);
    const alias = aliasOf(identifier);
    if (alias !== undefined) add(this.#aliases, alias, pin);
  }
}

function add(map: Map<string, Pin[]>, key: string, pin: Pin): void {
  const known = map.get(key) ?? [];
  const shown = ({ platform }: Pin) => (platform ? formatPlatform(platform) : "");
  if (!known.some((one) => one.digest === pin.digest && shown(one) === shown(pin)))
    map.set(key, [...known, pin]);
}

function select(
  pins: readonly Pin[],
  {
    source,
    platform,
    observed,
  }: { source: string; platform?: Platform | undefined; observed?: string | undefined },
): Found {
  // One digest is that of the whole index, whatever the platform.
  const only = unique(pins);
  if (only) return { pin: only };
  const matcher = platform && onlyStrict(platform);
  const fitting = pins.filter((pin) => !matcher || !pin.platform || matcher.matches(pin.platform));
  if (platform && fitting.length === 0)
    return { reason: `replay pin: no recorded pin for ${source} on platform ${formatPlatform(platform)}` };
  const fit = unique(fitting) ?? fitting.find(({ digest }) => digest === observed);
  return fit ? { pin: fit } : { reason: `replay pin: ambiguous provenance pins for ${source}` };
}

function unique(pins: readonly Pin[]): Pin | undefined {
  const [first] = pins;
  return pins.every(({ digest }) => digest === first?.digest) ? first : undefined;
}

/** What BuildKit asks for that takes this material in. */
function identifierOf(one: Material): string | undefined {
  const { image, digest, uri } = one;
  if (!image) return sourceIdentifier(one);
  if (image.type !== "docker" || image.refType !== undefined) return undefined;
  const { reference } = image;
  if (digest === undefined || !isDigest(digest)) return `docker-image://${formatReference(reference)}`;
  if (reference.digest !== undefined && reference.digest !== digest)
    throw replayErrors.subject(
      `material digest mismatch for ${JSON.stringify(uri)}: ref has ${reference.digest} but provenance has ${digest}`,
    );
  return `docker-image://${formatReference({ ...reference, digest })}`;
}

/** An image's name without its digest. */
function aliasOf(identifier: string): string | undefined {
  const at = identifier.startsWith("docker-image://") ? identifier.indexOf("@") : -1;
  return at < 0 ? undefined : identifier.slice(0, at);
}

/** The identifier of a source in the form that is looked up: images of package URLs by their references. */
export function canonicalIdentifier(identifier: string): string {
  const image = parseImagePurl(identifier);
  return image?.type === "docker" ? `docker-image://${formatReference(image.reference)}` : identifier;
}

/** The digest that the identifier of an image names. */
export function namedDigest(identifier: string): string | undefined {
  if (!identifier.startsWith("docker-image://")) return undefined;
  try {
    return parseReference(identifier.slice("docker-image://".length)).digest;
  } catch {
    return undefined;
  }
}

function shownMaterial({ uri, platform }: Material, identifier: string | undefined): string {
  if (identifier === undefined || identifier === uri) return `uri=${uri}`;
  const on = platform ? ` platform=${formatPlatform(normalizePlatform(platform))}` : "";
  return `uri=${uri} canonical=${identifier}${on}`;
}
