/** Whether a name matches a pattern with `*`, `?` and `[a-z]`, by Go's `path.Match`; `undefined` for a broken pattern. */
export function pathMatch(pattern: string, name: string): boolean | undefined {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] as string;
    if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "[") {
      const set = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(pattern.slice(at));
      if (!set) return undefined;
      at += set[0].length - 1;
      source += `[${set[1]}${(set[2] as string).replace(/[[\]^]/g, "\\$&")}]`;
    } else if (char === "\\") {
      const next = pattern[++at];
      if (next === undefined) return undefined;
      source += escaped(next);
    } else source += escaped(char);
  }
  try {
    return new RegExp(`^${source}$`, "s").test(name);
  } catch {
    return undefined;
  }
}

function escaped(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
