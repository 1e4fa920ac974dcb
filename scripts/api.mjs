// usage: node scripts/api.mjs [--check]
// Writes what users of the package see, out of src: api/*.d.ts, the public types one after the other, so that a change of them
// shows in review, and docs/api/*.md, the reference, from the doc comments. An exported name without a doc comment is an error,
// and so is a doc comment that cites what the package's readers have not got.
// With --check nothing is written, and a file that is not as it would be written is an error too.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes("--check");
const src = path.join(checkout, "src");
/** Ids of requirements, and notes that are not in docs/: the package's readers have neither. */
const innerCitation =
  /\b(?:SEC|FLT|STO|MEM)-\d+|(?<!\/)\b(?:protocol|reliability|traps|node-http2|design)\.md\b/g;
const { exports } = JSON.parse(fs.readFileSync(path.join(checkout, "package.json"), "utf8"));
/** Specifier of each of the package's modules, and its source. */
const modules = Object.entries(exports).flatMap(([subpath, entry]) =>
  entry.types
    ? [
        {
          specifier: path.posix.join("slipway", subpath),
          file: sourceOf(entry.types),
          title: titleOf(subpath),
        },
      ]
    : [],
);

const { config } = ts.readConfigFile(path.join(checkout, "tsconfig.build.json"), (file) =>
  ts.sys.readFile(file),
);
const { options } = ts.parseJsonConfigFileContent(
  { ...config, files: modules.map(({ file }) => file), include: [] },
  ts.sys,
  checkout,
);
const program = ts.createProgram(
  modules.map(({ file }) => file),
  options,
);
const checker = program.getTypeChecker();
const kinds = [
  { title: "Functions", fits: (node) => ts.isFunctionDeclaration(node) },
  { title: "Classes", fits: (node) => ts.isClassDeclaration(node) },
  { title: "Values", fits: (node) => ts.isVariableDeclaration(node) },
  { title: "Types", fits: () => true },
];
const printer = ts.createPrinter({ removeComments: true });
const declarationFiles = new Map();
const problems = [];
const written = new Map();

for (const module of modules) {
  const names = exportsOf(module);
  written.set(`api/${module.title}.d.ts`, snapshotOf(module, names));
  written.set(`docs/api/${module.title}.md`, referenceOf(module, names));
}
written.set("docs/api/README.md", contentsPage());
finish();

function sourceOf(declaration) {
  return path.join(src, declaration.replace("./dist/lib/", "").replace(/\.d\.ts$/, ".ts"));
}

function titleOf(subpath) {
  return subpath === "." ? "slipway" : subpath.slice(2);
}

/** The module's exports by name: `{ name, symbol, isType }`, or `{ name, namespace }` for a module in the module. */
function exportsOf({ file, specifier }) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file));
  const found = checker.getExportsOfModule(module).map((symbol) => {
    const origin = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const namespace = origin.flags & ts.SymbolFlags.ValueModule && !origin.valueDeclaration?.name;
    if (namespace) return { name: symbol.name, symbol: origin, namespace: true };
    if (commentOf(origin) === "") problems.push(`${specifier}: ${symbol.name} has no doc comment`);
    return { name: symbol.name, symbol: origin };
  });
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The public types of a module, then those that they name and that cannot be imported. */
function snapshotOf({ specifier }, names) {
  const parts = [`// Public types of ${specifier}, made by: npm run api`];
  const own = new Set(names.map(({ symbol }) => symbol));
  const pending = [];
  for (const { name, symbol, namespace } of names) {
    if (namespace) parts.push(`export declare namespace ${name} {} // generated from proto/`);
    else {
      parts.push(textOf(symbol, name));
      pending.push(symbol);
    }
  }
  const inner = new Map();
  for (let symbol = pending.pop(); symbol; symbol = pending.pop())
    for (const used of usedBy(symbol))
      if (!own.has(used) && !inner.has(used)) {
        inner.set(used, textOf(used, used.name).replace(/^export (declare )?/gm, ""));
        pending.push(used);
      }
  const rest = [...inner.values()].sort((a, b) => (a < b ? -1 : 1));
  if (rest.length > 0) parts.push("// Not exported by this module, but named above.", ...rest);
  return `${parts.join("\n\n")}\n`;
}

/** A declaration without comments and bodies. */
function textOf(symbol, name) {
  const statements = declarationsOf(symbol);
  const text = statements.map(({ node, file }) => printer.printNode(ts.EmitHint.Unspecified, node, file));
  const renamed = symbol.name === name ? "" : `// exported as ${name}\n`;
  return renamed + text.join("\n");
}

/** The statements that declare a symbol, as tsc would emit them. */
function declarationsOf(symbol) {
  return (symbol.declarations ?? [])
    .flatMap((declaration) => {
      const source = declaration.getSourceFile();
      const file = declarationFile(source);
      return file.statements
        .filter((node) => declaredNames(node).includes(symbol.escapedName))
        .map((node) => ({ node, file }))
        .slice(0, declaration.kind === ts.SyntaxKind.FunctionDeclaration ? undefined : 1);
    })
    .filter(({ node }, index, all) => all.findIndex((other) => other.node === node) === index);
}

function declaredNames(node) {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.text);
  return node.name ? [node.name.text] : [];
}

function declarationFile(source) {
  let file = declarationFiles.get(source);
  if (!file) {
    let text = "";
    program.emit(source, (_, written) => (text = written), undefined, true, undefined);
    file = ts.createSourceFile(source.fileName.replace(/\.ts$/, ".d.ts"), text, ts.ScriptTarget.Latest, true);
    declarationFiles.set(source, file);
  }
  return file;
}

/** Symbols of src, but generated ones, that a declaration names outside of bodies and private members. */
function usedBy(symbol) {
  const used = new Set();
  const visit = (node) => {
    if (ts.isBlock(node) || node.name?.kind === ts.SyntaxKind.PrivateIdentifier) return;
    // tsc leaves these out, and the parameters of a private constructor.
    if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal")) return;
    if (node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) return;
    // Of what has a type of its own, the initial value says nothing more.
    if ((ts.isPropertyDeclaration(node) || ts.isVariableDeclaration(node)) && node.type) {
      visit(node.type);
      return;
    }
    if (ts.isIdentifier(node) && !ts.isPropertyAccessExpression(node.parent)) {
      const found = checker.getSymbolAtLocation(node);
      const origin = found && found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found;
      const declared = origin?.declarations?.[0];
      if (declared?.parent && ts.isSourceFile(declared.parent) && isOurs(declared)) used.add(origin);
    }
    ts.forEachChild(node, visit);
  };
  for (const declaration of symbol.declarations ?? []) ts.forEachChild(declaration, visit);
  return used;
}

function isOurs(node) {
  const { fileName } = node.getSourceFile();
  return fileName.startsWith(`${src}/`) && !fileName.includes("/gen/");
}

function commentOf(symbol) {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
}

/** The reference page of a module. */
function referenceOf({ specifier }, names) {
  const parts = [`# ${specifier}`, "Made from the doc comments by `npm run api`."];
  const contents = [];
  const pages = new Map(names.map(({ name, symbol }) => [symbol, name]));
  const left = new Set(names.filter(({ namespace }) => !namespace));
  for (const { title, fits } of kinds) {
    const chosen = [...left].filter(({ symbol }) => fits(symbol.declarations[0]));
    if (chosen.length === 0) continue;
    parts.push(`## ${title}`);
    contents.push(`- ${title}: ${chosen.map(({ name }) => link(name)).join(", ")}`);
    for (const each of chosen) {
      left.delete(each);
      parts.push(`### ${each.name}`, commentOf(each.symbol), ...tagsOf(each.symbol));
      parts.push(`\`\`\`typescript\n${commented(each.symbol)}\n\`\`\``);
      const named = [...usedBy(each.symbol)].filter((used) => used !== each.symbol);
      const linked = named.map((used) => linkOf(used, pages)).filter(Boolean);
      if (linked.length > 0)
        parts.push(`See ${[...new Set(linked)].sort((a, b) => (a < b ? -1 : 1)).join(", ")}.`);
    }
  }
  for (const [cited] of parts.join("\n").matchAll(innerCitation))
    problems.push(`${specifier}: a doc comment cites ${cited}, which readers of the package have not got`);
  const namespaces = names.filter(({ namespace }) => namespace);
  if (namespaces.length > 0)
    parts.push(
      "## Wire types",
      "The messages and services of BuildKit's protocol, one namespace a protobuf package, generated from `proto/`: " +
        `${namespaces.map(({ name }) => `\`${name}\``).join(", ")}.`,
    );
  parts.splice(2, 0, contents.join("\n"));
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** A link to a name of the same page. */
function link(name) {
  return `[\`${name}\`](#${name.toLowerCase()})`;
}

/** A link to where a type is described: the same page, else the first module that exports it; none when no module does. */
function linkOf(symbol, pages) {
  const name = pages.get(symbol);
  if (name !== undefined) return link(name);
  for (const { title, file } of modules)
    for (const exported of checker.getExportsOfModule(
      checker.getSymbolAtLocation(program.getSourceFile(file)),
    )) {
      const origin = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (origin === symbol) return `[\`${exported.name}\`](${title}.md#${exported.name.toLowerCase()})`;
    }
  return undefined;
}

function tagsOf(symbol) {
  return symbol.getJsDocTags(checker).flatMap(({ name, text }) => {
    const said = ts.displayPartsToString(text).trim();
    if (name === "throws") return [`**Throws** ${said}`];
    if (name === "param") return [`- \`${said.replace(/^(\S+)\s*/, "$1`: ")}`];
    return [];
  });
}

/** A declaration with the comments of its members. */
function commented(symbol) {
  return declarationsOf(symbol)
    .map(({ node, file }) => file.text.slice(node.getStart(file), node.end))
    .join("\n")
    .replace(/^export (declare )?/gm, "")
    .replace(/^\s*#private;\n/gm, "");
}

function contentsPage() {
  const rows = modules.map(({ specifier, title }) => `- [\`${specifier}\`](${title}.md)`);
  return `# API reference\n\nOne page for each module of the package.\n\n${rows.join("\n")}\n`;
}

function finish() {
  for (const [name, text] of written) {
    const file = path.join(checkout, name);
    const before = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
    if (before === text) continue;
    if (check) problems.push(`${name} is not up to date; the public types or their comments changed`);
    else {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
    }
  }
  for (const problem of problems) console.error(problem);
  if (check && problems.some((problem) => problem.includes("up to date")))
    console.error("Run `npm run api`, and commit what it writes if the change is meant.");
  process.exitCode = problems.length > 0 ? 1 : 0;
}
