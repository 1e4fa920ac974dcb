// esbuild has the functions of all modules in one scope, so that each start makes them all, and V8 keeps something for each in its
// cache. Here they are put into what initializes their module: those of a module that is not loaded cost nothing.
import ts from "typescript";

/** How the function begins that makes a module's initialization of what it runs, and the one that gives a module its exports. */
const toInit =
  /([\w$]+) = \(([\w$]+), ([\w$]+), [\w$]+\) => \(\) => \{[^{}]*\{\s*return \2 && \(\3 = \2\(\2 = 0\)\)/;
const toExports =
  /([\w$]+) = \(([\w$]+), ([\w$]+)\) => \{\s*for \(var ([\w$]+) in \3\)\s*[\w$]+\(\2, \4, \{ get/;

/**
 * The bundle with its modules' functions, and what lists their exports, as parts of what initializes them. esbuild must have left
 * the white space and the comments, of which one with the file's name stands before each module.
 *
 * @param {string} text
 * @param {() => void} used called when something was moved
 */
export function ownFunctions(text, used = () => {}) {
  const names = { init: toInit.exec(text)?.[1], exports: toExports.exec(text)?.[1] };
  if (!names.init || !names.exports) return text;
  const source = ts.createSourceFile("program.js", text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const modules = modulesOf(source, names);
  const edits = closedModules(modules)
    .filter(({ movable }) => movable.length > 0)
    .flatMap((module) => moves(module));
  if (edits.length > 0) used();
  return edited(text, edits);
}

/** The modules that are initialized at their first use. */
function modulesOf(source, names) {
  const modules = [];
  for (const statement of source.statements) {
    if (ts.getLeadingCommentRanges(source.text, statement.pos)) modules.push({ statements: [], movable: [] });
    const module = modules.at(-1);
    if (!module) continue;
    module.statements.push(statement);
    if (ts.isFunctionDeclaration(statement) || isCallOf(statement.expression, names.exports))
      module.movable.push(statement);
    const { declarations = [] } = statement.declarationList ?? {};
    for (const { name, initializer } of declarations) {
      const body = isCallOf(initializer, names.init) && initializer.arguments[0].body;
      if (body && ts.isBlock(body)) Object.assign(module, { init: name.text, declarations, body });
    }
  }
  return modules;
}

/**
 * Those whose functions are not called before they are there: whoever names one has had the module initialized. That is how
 * esbuild writes them all; a module of which it cannot be seen stays as it is.
 */
function closedModules(modules) {
  const byInit = new Map(modules.map((module) => [module.init, module]));
  const byFunction = new Map();
  for (const module of modules)
    for (const { name } of module.movable) if (name) byFunction.set(name.text, module);
  const facts = new Map(modules.map((module) => [module, factsOf(module, byInit, byFunction)]));
  const open = new Set(modules.filter(({ init }) => init === undefined));
  for (const [module, { uses }] of facts) {
    const initialized = new Set([module]);
    // A set gives what is added to it while it is gone through.
    for (const one of initialized) for (const other of facts.get(one).initializes) initialized.add(other);
    for (const used of uses) if (!initialized.has(used)) open.add(used);
  }
  return modules.filter((module) => !open.has(module));
}

/** Whose functions a module names anywhere, and which modules it has initialized before it runs itself. */
function factsOf({ statements, body }, byInit, byFunction) {
  const uses = new Set();
  const initializes = new Set();
  const visit = (node, isAtOnce) => {
    if (ts.isIdentifier(node)) {
      const owner = byFunction.get(node.text);
      if (owner && !isMember(node)) uses.add(owner);
    }
    const called = isAtOnce && ts.isCallExpression(node) && byInit.get(node.expression.text);
    if (called) initializes.add(called);
    const isRun = isAtOnce && (!ts.isFunctionLike(node) || node.body === body);
    ts.forEachChild(node, (child) => visit(child, isRun));
  };
  for (const statement of statements) visit(statement, true);
  return { uses, initializes };
}

function isMember(node) {
  const { parent } = node;
  return (parent.name === node && !ts.isShorthandPropertyAssignment(parent)) || parent.propertyName === node;
}

function isCallOf(node, name) {
  return node !== undefined && ts.isCallExpression(node) && node.expression.text === name;
}

/** `function a() {}` becomes `var a`, and `a = function() {}` where the module is initialized, before all else. */
function moves({ movable, declarations, body }) {
  const names = movable.flatMap(({ name }) => (name ? [name.text] : []));
  const directives = body.statements.filter(ts.isExpressionStatement).filter(isDirective);
  const begin = directives.at(-1)?.end ?? body.statements.pos;
  return [
    ...movable.map(({ pos, end }) => ({ pos, end, put: "" })),
    { pos: declarations.pos, end: declarations.pos, put: names.map((name) => ` ${name},`).join("") },
    { pos: begin, end: begin, put: movable.map((statement) => `\n${assigned(statement)}`).join("") },
  ];
}

function isDirective({ expression }) {
  return ts.isStringLiteral(expression);
}

function assigned(statement) {
  const text = statement.getText();
  const { name } = statement;
  if (!name) return text;
  const at = name.getStart() - statement.getStart();
  return `${name.text} = ${text.slice(0, at)}${text.slice(at + name.text.length)};`;
}

function edited(text, edits) {
  let at = 0;
  const parts = [];
  for (const { pos, end, put } of edits.sort((a, b) => a.pos - b.pos)) {
    parts.push(text.slice(at, pos), put);
    at = end;
  }
  return parts.join("") + text.slice(at);
}
