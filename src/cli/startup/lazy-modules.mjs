// Modules of Node's that take some milliseconds of every start, and are used by what the command does not do, or only when
// something is wrong: in their place stands what loads them when it is called.
import path from "node:path";

/**
 * An esbuild plugin.
 *
 * @param {string} owner whose imports are meant: a package, or `src`
 * @param {string} module the module of Node's
 * @param {string} contents what stands in its place; `real()` is the module
 */
export const lazyModule = (owner, module, contents) => (used) => ({
  name: `lazy ${module} of ${owner}`,
  setup(bundler) {
    const namespace = `lazy ${owner}`;
    const folder = path.sep + (owner === "src" ? "src" : path.join("node_modules", owner)) + path.sep;
    const isOwned = (file) =>
      file.includes(folder) && (owner !== "src" || !file.includes(`${path.sep}node_modules${path.sep}`));
    bundler.onResolve({ filter: new RegExp(`^${module}$`) }, ({ importer }) =>
      isOwned(importer) ? { path: module, namespace } : undefined,
    );
    bundler.onLoad({ filter: new RegExp(`^${module}$`), namespace }, () => {
      used();
      return {
        resolveDir: import.meta.dirname,
        contents: `const real = () => process.getBuiltinModule("${module}");\n${contents}`,
      };
    });
  },
});

/**
 * An esbuild plugin that does the same for a file of a package which is one function.
 *
 * @param {string} owner whose file it is
 * @param {string} file as the package's files name it
 */
export const lazyFunction = (owner, file) => (used) => ({
  name: `lazy ${file} of ${owner}`,
  setup(bundler) {
    const namespace = `lazy ${owner}`;
    const folder = path.sep + path.join("node_modules", owner) + path.sep;
    const filter = new RegExp(`^${file.replaceAll(".", "\\.")}$`);
    bundler.onResolve({ filter }, ({ importer, namespace: from, resolveDir }) =>
      from === "file" && importer.includes(folder)
        ? { path: file, namespace, pluginData: resolveDir }
        : undefined,
    );
    bundler.onLoad({ filter, namespace }, ({ pluginData: resolveDir }) => {
      used();
      return {
        resolveDir,
        contents: `module.exports = (...given) => require(${JSON.stringify(file)})(...given);`,
      };
    });
  },
});

/** Functions of a module that is loaded when the first of them is called. */
export function lazily(...names) {
  return names.map((name) => `exports.${name} = (...given) => real().${name}(...given);`).join("\n");
}

/** Values of a module that is loaded when one of them is first read, which must not be at the top of a module. */
export function read(...names) {
  return names
    .map(
      (name) => `Object.defineProperty(exports, "${name}", { enumerable: true, get: () => real().${name} });`,
    )
    .join("\n");
}
