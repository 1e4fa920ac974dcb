import { parseReference } from "../../registry/index.js";

/**
 * Names of images that a Dockerfile uses in `FROM` and `COPY --from`, as written; those with variables, numbers of
 * stages and names of stages are left out. For builders that must be told of all before the build.
 */
export function baseImages(dockerfile: string): string[] {
  const stages = new Set<string>(["scratch"]);
  const names = new Set<string>();
  const add = (name: string) => {
    if (name.includes("$") || /^\d+$/.test(name) || stages.has(name.toLowerCase())) return;
    try {
      parseReference(name);
      names.add(name);
    } catch {
      // No image: the builder will say what is wrong with it.
    }
  };
  for (const line of dockerfile.replace(/\\\r?\n/g, " ").split(/\r?\n/)) {
    const from = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line);
    if (from?.[1] !== undefined) {
      add(from[1]);
      if (from[2] !== undefined) stages.add(from[2].toLowerCase());
    }
    const source = /^\s*(?:COPY|ADD|RUN)\s.*?(?:--from=|,from=)([^\s,]+)/i.exec(line)?.[1];
    if (source !== undefined) add(source);
  }
  return [...names];
}
