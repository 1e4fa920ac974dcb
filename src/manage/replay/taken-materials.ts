import { type Material, gitSubdirectory, material, sourceIdentifier } from "./materials.js";
import type { Provenance } from "./provenance.js";
import { commitKey } from "./snapshot-format.js";

/**
 * What a build took in, as it asked for it. Of a repository the materials name no directory (BK solver/llbsolver/provenance), and what a
 * build gets for one is its files alone; the steps and the context tell which.
 */
export function takenMaterials({ materials, sources, configSource }: Provenance): Material[] {
  const context = sourceIdentifier(material(configSource.uri, configSource.digests));
  const asked = [...sources, ...(context === undefined ? [] : [context])];
  const taken = new Map<string, Material>();
  for (const one of materials.filter(({ kind }) => kind !== "unknown"))
    for (const found of one.kind === "git" ? directoriesOf(one, asked) : [one]) {
      const { uri, digest = "" } = found;
      taken.set(found.kind === "git" ? commitKey(digest, gitSubdirectory(uri)) : `${uri} ${digest}`, found);
    }
  return [...taken.values()];
}

/** A repository once for each of its directories that was asked for; as it is where none was. */
function directoriesOf(one: Material, asked: readonly string[]): Material[] {
  const own = withoutDirectory(sourceIdentifier(one) ?? "");
  const found = asked.filter((identifier) => withoutDirectory(identifier) === own);
  const directories = new Set(found.map(gitSubdirectory));
  return directories.size === 0
    ? [one]
    : [...directories].map((path) => ({ ...one, uri: withDirectory(one.uri, path) }));
}

/** `repository#ref`, of an address or an identifier. */
function withoutDirectory(text: string): string {
  return withDirectory(text, "");
}

function withDirectory(text: string, directory: string): string {
  const [repository = "", ...rest] = text.split("#");
  const ref = rest.join("#").split(":", 1)[0] ?? "";
  const fragment = directory === "" ? ref : `${ref}:${directory}`;
  return fragment === "" ? repository : `${repository}#${fragment}`;
}
