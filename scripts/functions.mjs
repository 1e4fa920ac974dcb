// usage: node scripts/functions.mjs [--longest N]
// Checks that no function in src is too long, branches too often or takes too many parameters. Generated code and tests
// are left out. A function inside another counts for itself, and its lines for the outer one too. Prints each function
// that is over a bound, and exits with 1. --longest prints instead the N functions nearest to each bound, and how long
// the files are.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** The most that a function may have of each. */
const bounds = { lines: 59, branches: 20, parameters: 5 };

const checkout = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const src = path.join(checkout, "src");

const files = fs
  .readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((name) => /(?<!\.d)\.ts$/.test(name) && !name.endsWith(".test.ts"))
  .filter((name) => !name.startsWith(path.join("buildkit", "gen")))
  .map((name) => ({ name, file: parse(name, fs.readFileSync(path.join(src, name), "utf8")) }));
const measured = files.flatMap(({ name, file }) => functionsOf(name, file));

const longest = process.argv.indexOf("--longest");
if (longest >= 0) printNearest(Number(process.argv[longest + 1] ?? 10));
else {
  const problems = measured.flatMap(problemsOf);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function parse(name, text) {
  const jsDocParsingMode = ts.JSDocParsingMode.ParseNone;
  return ts.createSourceFile(name, text, { languageVersion: ts.ScriptTarget.Latest, jsDocParsingMode });
}

/** Each function of a file, and the code of the file itself, with what is measured of it. */
function functionsOf(name, file) {
  const found = [];
  const top = { where: `src/${name}`, called: "(module)", lines: 0, branches: 0, parameters: 0 };
  found.push(top);
  ts.forEachChild(file, (child) => visit(child, file, top));
  return found;

  function visit(node, parent, inside) {
    const own = ts.isFunctionLike(node) && node.body ? measure(node, parent) : inside;
    if (own !== inside) found.push(own);
    if (isBranch(node)) own.branches++;
    ts.forEachChild(node, (child) => visit(child, node, own));
  }

  function measure(node, parent) {
    const from = file.getLineAndCharacterOfPosition(node.getStart(file)).line;
    const to = file.getLineAndCharacterOfPosition(node.end).line;
    const parameters = node.parameters.filter(({ name }) => name.text !== "this");
    return {
      where: `src/${name}:${from + 1}`,
      called: nameOf(node, parent, file),
      lines: to - from + 1,
      branches: 0,
      parameters: parameters.length,
    };
  }
}

/** Whether the program may go on in two ways here. */
function isBranch(node) {
  switch (node.kind) {
    case ts.SyntaxKind.IfStatement:
    case ts.SyntaxKind.ConditionalExpression:
    case ts.SyntaxKind.CaseClause:
    case ts.SyntaxKind.CatchClause:
    case ts.SyntaxKind.ForStatement:
    case ts.SyntaxKind.ForInStatement:
    case ts.SyntaxKind.ForOfStatement:
    case ts.SyntaxKind.WhileStatement:
    case ts.SyntaxKind.DoStatement:
    case ts.SyntaxKind.AmpersandAmpersandToken:
    case ts.SyntaxKind.BarBarToken:
    case ts.SyntaxKind.QuestionQuestionToken:
    case ts.SyntaxKind.AmpersandAmpersandEqualsToken:
    case ts.SyntaxKind.BarBarEqualsToken:
    case ts.SyntaxKind.QuestionQuestionEqualsToken:
      return true;
    default:
      return false;
  }
}

function nameOf(node, parent, file) {
  if (ts.isConstructorDeclaration(node)) return `constructor of ${parent.name?.text ?? "a class"}`;
  const named = node.name ?? (ts.isVariableDeclaration(parent) ? parent.name : undefined);
  return named?.getText(file) ?? "(unnamed)";
}

function problemsOf(measures) {
  return Object.entries(bounds)
    .filter(([what, most]) => measures[what] > most)
    .map(
      ([what, most]) =>
        `${measures.where}: ${measures.called} has ${measures[what]} ${what}, not ${most} or fewer`,
    );
}

function printNearest(count) {
  for (const what of Object.keys(bounds)) {
    const sorted = measured.toSorted((a, b) => b[what] - a[what]).slice(0, count);
    for (const each of sorted) console.log(`${each[what]} ${what}: ${each.where} ${each.called}`);
  }
  const lengths = files.map(({ name, file }) => ({ name, lines: file.text.trimEnd().split("\n").length }));
  lengths.sort((a, b) => a.lines - b.lines);
  const last = lengths.at(-1);
  const median = lengths[Math.floor(lengths.length / 2)].lines;
  console.log(`${lengths.length} files, median ${median} lines, longest ${last.lines} (src/${last.name})`);
}
