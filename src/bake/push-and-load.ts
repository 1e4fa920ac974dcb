import type { TypedEntry } from "./entries.js";

/** A target's outputs with pushing turned on or off. */
export function pushed(outputs: readonly TypedEntry[], push: boolean): TypedEntry[] {
  const own = push ? [...outputs] : withoutRegistries(outputs);
  const all = own.map((entry) =>
    entry.type === "image" ? { ...entry, attrs: new Map([...entry.attrs, ["push", String(push)]]) } : entry,
  );
  const isElsewhere = outputs.some(({ type }) => type !== "docker");
  return push && !isElsewhere ? [...all, { type: "image", attrs: new Map([["push", "true"]]) }] : all;
}

/** The last one takes the place of one that goes, as in buildx. */
function withoutRegistries(outputs: readonly TypedEntry[]): TypedEntry[] {
  const kept = [...outputs];
  for (let at = kept.findIndex(isRegistry); at >= 0; at = kept.findIndex(isRegistry)) {
    const last = kept.pop() as TypedEntry;
    if (at < kept.length) kept[at] = last;
  }
  return kept;
}

const isRegistry = ({ type }: TypedEntry) => type === "registry";

const images: ReadonlySet<string> = new Set(["image", "registry", "oci", "docker"]);

/** A target's outputs with loading added, unless it is loaded already or is no image. */
export function loaded(outputs: readonly TypedEntry[]): TypedEntry[] {
  const isEnough = outputs.some(({ type, dest }) => !images.has(type) || (type === "docker" && !dest));
  return isEnough ? [...outputs] : [...outputs, { type: "docker", attrs: new Map() }];
}
