// Checks that `using`, and `[Symbol.dispose]()` called by hand, stand in src on slipway's own objects only. Those of Node's (file
// handles, streams, child processes) have no such methods in every realm and under every wrapper of node:fs: test runners that
// give each file a realm of its own, Yarn Plug'n'Play. Prints each place, and exits with 1.
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const src = path.join(checkout, "src") + path.sep;
const symbols = ["asyncDispose", "dispose"];

const { config } = ts.readConfigFile(path.join(checkout, "tsconfig.json"), (file) => ts.sys.readFile(file));
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, checkout);
const sources = fileNames.filter((name) => name.startsWith(src) && !name.endsWith(".test.ts"));
const program = ts.createProgram(sources, { ...options, noEmit: true });
const checker = program.getTypeChecker();

const problems = [];
for (const file of program.getSourceFiles()) if (file.fileName.startsWith(src)) visit(file, file);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function visit(node, file) {
  if (ts.isVariableDeclarationList(node) && node.flags & ts.NodeFlags.Using)
    for (const { name } of node.declarations) inspect(name, file);
  if (ts.isElementAccessExpression(node) && isDisposeSymbol(node.argumentExpression))
    inspect(node.expression, file);
  ts.forEachChild(node, (child) => visit(child, file));
}

/** Its type and its method are declared in src; or the type says no more than that there is one. */
function inspect(node, file) {
  const type = checker.getTypeAtLocation(node);
  const methods = type
    .getProperties()
    .filter(({ escapedName }) => symbols.some((symbol) => escapedName.startsWith(`__@${symbol}@`)));
  const places = [...methods, type.getSymbol()].flatMap((symbol) => symbol?.getDeclarations() ?? []);
  if (methods.length > 0 && places.every(isOwn)) return;
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
  const where = `${path.relative(checkout, file.fileName)}:${line + 1}`;
  problems.push(`${where}: ${node.getText(file)} is not slipway's own: close it in a finally block`);
}

function isOwn(declaration) {
  if (declaration.getSourceFile().fileName.startsWith(src)) return true;
  const named = ts.isInterfaceDeclaration(declaration) ? declaration : declaration.parent;
  return ts.isInterfaceDeclaration(named) && /^(Async)?Disposable$/.test(named.name.text);
}

function isDisposeSymbol(node) {
  return (
    ts.isPropertyAccessExpression(node) &&
    node.expression.getText() === "Symbol" &&
    symbols.includes(node.name.text)
  );
}
