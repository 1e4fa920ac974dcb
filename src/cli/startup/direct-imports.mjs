// An esbuild plugin: what source files import from a folder's index.js, they import from the file that has it. esbuild puts
// all that an index names into one chunk with whoever imports a single name of it; so each chunk gets what it needs, and
// `import "slipway"` loads a fifth of what it would.
// It reads these statements by their form alone, so it refuses what has another one, rather than to pass it on as it is.
import fs from "node:fs";
import path from "node:path";

/** `import { a, type B, c as d } from "…/index.js";`, or the same with `export`. */
const listed = /^(import|export) \{([^}]*)\} from "(\.[^"]*index\.js)";$/gm;
/** What else may come from an index: types, which are gone when it matters. */
const typesOnly = /^(?:import|export) type \{[^}]*\} from "[^"]+";$/gm;
/** What an index may be made of besides. */
const exported = /^export \{([^}]*)\} from "([^"]+)";$/gm;
const exportedModule = /^export \* as (\w+) from "([^"]+)";$/gm;
const comments = /^\s*\/\/.*$|^\s*\/\*[^]*?\*\/$/gm;

export const directImports = (used = () => {}) => ({
  name: "direct-imports",
  setup(bundler) {
    const originOf = originsOf(new Map());
    bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path: file }) => {
      const text = fs.readFileSync(file, "utf8");
      const contents = withDirectImports(file, text, originOf);
      if (contents !== text) used();
      return { contents, loader: "ts", resolveDir: path.dirname(file) };
    });
  },
});

/**
 * The text of a file with its imports from indexes replaced. `origins` is kept from file to file.
 *
 * @param {string} file absolute path
 * @param {string} text
 * @throws Error for an import or an index of another form
 */
export function readDirectImports(file, text, origins = new Map()) {
  return withDirectImports(file, text, originsOf(origins));
}

function withDirectImports(file, text, originOf) {
  const unread = text.replace(listed, "").replace(typesOnly, "");
  const [other] = /^.*\bfrom\s*["'](?:[^"']*\/)?index\.js["'].*$/m.exec(unread) ?? [];
  if (other) throw new Error(`${file}: not a plain list of names from an index: ${other.trim()}`);
  return text.replace(listed, (_, keyword, names, specifier) => {
    const index = sourceOf(file, specifier);
    return valuesOf(names)
      .map(({ name, as }) => {
        const origin = originOf(index, name);
        const from = JSON.stringify(relative(file, origin.file));
        if (origin.name === "*") return `${keyword} * as ${as} from ${from};`;
        return `${keyword} { ${origin.name} as ${as} } from ${from};`;
      })
      .join(" ");
  });
}

/** Gives the file that has what an index exports under a name, and its name there: `*` for the file's exports as one. */
function originsOf(indexes) {
  return function originOf(index, name) {
    if (!indexes.has(index)) indexes.set(index, readIndex(index));
    const origin = indexes.get(index).get(name);
    if (!origin) throw new Error(`${index} exports no ${name}`);
    return path.basename(origin.file) === "index.ts" && origin.name !== "*"
      ? originOf(origin.file, origin.name)
      : origin;
  };
}

function readIndex(index) {
  const names = new Map();
  const text = fs.readFileSync(index, "utf8");
  for (const [, list, specifier] of text.matchAll(exported))
    for (const { name, as } of valuesOf(list)) names.set(as, { file: sourceOf(index, specifier), name });
  for (const [, as, specifier] of text.matchAll(exportedModule))
    names.set(as, { file: sourceOf(index, specifier), name: "*" });
  // Whoever imports a name of it does not run it any more, so it must do nothing.
  const rest = [exported, exportedModule, typesOnly, comments].reduce(
    (text, part) => text.replace(part, ""),
    text,
  );
  if (rest.trim() !== "")
    throw new Error(`${index}: more than a list of exports: ${rest.trim().split("\n")[0]}`);
  return names;
}

/** The values among `a, type B, c as d`. */
function valuesOf(list) {
  return list
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "" && !text.startsWith("type "))
    .map((text) => {
      const [, name, as = name] = /^(\w+)(?: as (\w+))?$/.exec(text) ?? [];
      if (!name) throw new Error(`not a name among exports: ${text}`);
      return { name, as };
    });
}

function sourceOf(file, specifier) {
  return path.join(path.dirname(file), specifier.replace(/\.js$/, ".ts"));
}

function relative(from, to) {
  const text = path.relative(path.dirname(from), to);
  return text.startsWith(".") ? text : `./${text}`;
}
