const atLeast = /^\s*>=?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?\s*$/;

/**
 * The Node that packages need, if it is newer than `version`.
 *
 * @param manifests contents of their package.json; what is none is passed over
 * @param version as `process.versions.node`
 */
export function newerNodeOf(manifests: readonly unknown[], version: string): string | undefined {
  const here = version.split(".").map(Number);
  for (const manifest of manifests) {
    const range = (manifest as { engines?: { node?: unknown } } | null | undefined)?.engines?.node;
    const least = typeof range === "string" ? atLeast.exec(range) : null;
    if (!least) continue;
    const wanted = least.slice(1).map((part) => Number(part ?? 0));
    const differing = wanted.findIndex((part, at) => part !== here[at]);
    if (differing >= 0 && (wanted[differing] as number) > (here[differing] ?? 0))
      return wanted.slice(0, Math.max(1, wanted.findLastIndex((part) => part !== 0) + 1)).join(".");
  }
  return undefined;
}
