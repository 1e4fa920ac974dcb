import { readFile } from "node:fs/promises";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { blocksOf, checkout, docsPages, readPage } from "../support/docs-page.js";

/** The `ts` blocks of a page, and those that are files of TypeScript: name of a file that is not there, and its text. */
async function programsOf(page: string): Promise<[name: string, text: string][]> {
  return blocksOf(await readPage(page)).flatMap(({ kind, line, text, file }) =>
    kind === "ts" || (kind === "file" && /\.[cm]?ts$/.test(file ?? ""))
      ? // Lines are the page's, so that messages name them; a module, as it would be for its reader.
        [
          [
            path.join(checkout, "docs", `${path.basename(page)}:${line}.mts`),
            `${"\n".repeat(line - 1)}${text}\nexport {};\n`,
          ],
        ]
      : [],
  );
}

/** What the compiler says about programs that import slipway, as its source is. */
async function problemsOf(programs: ReadonlyMap<string, string>): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(path.join(checkout, "package.json"), "utf8")) as {
    exports: Record<string, string | { types: string }>;
  };
  const paths: Record<string, string[]> = {};
  for (const [name, entry] of Object.entries(exports))
    if (typeof entry === "object")
      paths[path.posix.join("slipway", name)] = [
        path.join(checkout, "src", entry.types.replace("./dist/lib/", "").replace(/\.d\.ts$/, ".ts")),
      ];
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    strict: true,
    // What slipway's own source asks of itself.
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    noEmit: true,
    paths,
  };
  const host = ts.createCompilerHost(options);
  const disk = ts.createCompilerHost(options);
  host.readFile = (name) => programs.get(name) ?? disk.readFile(name);
  host.fileExists = (name) => programs.has(name) || disk.fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const text = programs.get(name);
    return text === undefined
      ? disk.getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  const problems = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  for (const name of programs.keys()) {
    const file = program.getSourceFile(name);
    problems.push(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file));
  }
  return problems.map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    const page = path.basename(file?.fileName ?? "").replace(/:\d+\.mts$/, "");
    return `${page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

test("every ts block of the documentation has the types that it says", async () => {
  const programs = new Map<string, string>();
  for (const page of await docsPages())
    for (const [name, text] of await programsOf(page)) programs.set(name, text);
  expect(programs.size).toBeGreaterThan(20);
  // A block that is wrong, so that this test is known to see one.
  const wrong = path.join(checkout, "docs", "wrong.md:1.mts");
  programs.set(wrong, 'import { build } from "slipway";\nawait build({ contxt: "." });\n');
  const [found = "", ...problems] = (await problemsOf(programs)).sort(
    (a, b) => Number(b.startsWith("wrong")) - Number(a.startsWith("wrong")),
  );
  expect(found).toContain("wrong.md:2: Object literal may only specify known properties");
  expect(problems).toEqual([]);
}, 180_000);
