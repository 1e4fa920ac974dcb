// An esbuild plugin: what source files import from a folder's index.js, they import from the file that has it. esbuild puts
// all that an index names into one chunk with whoever imports a single name of it; so each chunk gets what it needs.
import fs from "node:fs";
import path from "node:path";

const statement = /^(import|export) \{([^}]*)\} from "(\.[^"]*index\.js)";$/gm;

export const directImports = {
  name: "direct-imports",
  setup(bundler) {
    const indexes = new Map();
    /** Maps the names that an index exports to the statement's rest that imports them: their file, and their name there. */
    const namesOf = (index) => {
      if (!indexes.has(index)) indexes.set(index, readIndex(index));
      return indexes.get(index);
    };
    const originOf = (index, name) => {
      const origin = namesOf(index).get(name);
      if (!origin) throw new Error(`${index} exports no ${name}`);
      return path.basename(origin.file) === "index.ts" && origin.name !== "*"
        ? originOf(origin.file, origin.name)
        : origin;
    };
    bundler.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path: file }) => {
      const text = fs.readFileSync(file, "utf8");
      const contents = text.replaceAll(statement, (_, keyword, names, specifier) => {
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
      return { contents, loader: "ts", resolveDir: path.dirname(file) };
    });
  },
};

function readIndex(index) {
  const names = new Map();
  const text = fs.readFileSync(index, "utf8");
  for (const [, list, specifier] of text.matchAll(/^export \{([^}]*)\} from "([^"]+)";$/gm))
    for (const { name, as } of valuesOf(list)) names.set(as, { file: sourceOf(index, specifier), name });
  for (const [, as, specifier] of text.matchAll(/^export \* as (\w+) from "([^"]+)";$/gm))
    names.set(as, { file: sourceOf(index, specifier), name: "*" });
  return names;
}

/** The values among `a, type B, c as d`. */
function valuesOf(list) {
  return list
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "" && !text.startsWith("type "))
    .map((text) => {
      const [name, as = name] = text.split(" as ");
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
