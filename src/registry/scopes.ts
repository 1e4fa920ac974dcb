/**
 * Scopes merged into the fewest that say the same, in a fixed order: actions of one resource come together, doubles go.
 * Tokens are cached by the result, so the same wishes must give the same text.
 */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.flatMap((text) => text.split(" "))) {
    const end = scope.lastIndexOf(":");
    if (end < 0) continue;
    const resource = scope.slice(0, end);
    const known = actions.get(resource) ?? new Set<string>();
    for (const action of scope.slice(end + 1).split(",")) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, names]) => `${resource}:${[...names].sort().join(",")}`).sort();
}

/** The scope of a repository, for reading, or for reading and writing. */
export function repositoryScope(path: string, push = false): string {
  return `repository:${path}:pull${push ? ",push" : ""}`;
}
