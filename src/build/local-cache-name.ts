/**
 * The name by which the builder knows the directory of a local cache: `src` or `dest` as the builder is told it, and its content
 * store behind `local:` (BK client/solve.go, cache/remotecache/local). The builder sends it back as gRPC metadata, which carries
 * printable ASCII without blanks at its ends only; what is none is escaped.
 */
export function localCacheName(dir: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$|^$/.test(dir)) return dir;
  // Texts with half a surrogate pair cannot be escaped as they are.
  return `escaped:${encodeURIComponent(Buffer.from(dir).toString())}`;
}

/** What the builder is told of a local cache, by {@link localCacheName}; attributes of another cache as they are. */
export function toldAttrs(type: string, attrs: Readonly<Record<string, string>>): Record<string, string> {
  const told = { ...attrs };
  if (type === "local")
    for (const key of ["src", "dest"]) if (told[key] !== undefined) told[key] = localCacheName(told[key]);
  return told;
}
