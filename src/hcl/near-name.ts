/** The name that is fewer than three letters away from a mistyped one, the nearest first. hashicorp/hcl didyoumean.go. */
export function nearName(given: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = 3;
  for (const name of [...names].sort()) {
    if (Math.abs(name.length - given.length) >= least) continue;
    const distance = distanceOf(given, name);
    if (distance >= least) continue;
    nearest = name;
    least = distance;
  }
  return nearest;
}

/** ` Did you mean "name"?`, or nothing. */
export function nearHint(given: string, names: Iterable<string>): string {
  const name = nearName(given, names);
  return name === undefined ? "" : ` Did you mean "${name}"?`;
}

/** Letters to put in, take out or change: Levenshtein's distance. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}
