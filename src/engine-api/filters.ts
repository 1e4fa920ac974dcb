/** Filters of a listing: each name with the values of which one must match. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** Filters as the query wants them: a map of maps, which every engine takes (moby api/types/filters). */
export function encodeFilters(filters: Filters | undefined): string | undefined {
  if (!filters) return undefined;
  const entries = Object.entries(filters).map(([name, values]) => [
    name,
    Object.fromEntries(values.map((value) => [value, true])),
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}
