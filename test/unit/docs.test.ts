import { access, readdir } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { anchorsOf, blocksOf, checkout, docsPages, localLinksOf, readPage } from "../support/docs-page.js";

const designPages = (await readdir(path.join(checkout, "docs", "design"))).map(
  (name) => `docs/design/${name}`,
);

test("every link between pages leads to a file and a heading that exist", async () => {
  const broken: string[] = [];
  for (const page of [
    ...(await docsPages()),
    ...designPages,
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
  ]) {
    for (const link of localLinksOf(await readPage(page))) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? page : path.join(path.dirname(page), file);
      const exists = await access(path.join(checkout, target)).then(
        () => true,
        () => false,
      );
      if (!exists) broken.push(`${page}: ${link}: no such file`);
      else if (anchor && target.endsWith(".md") && !anchorsOf(await readPage(target)).has(anchor))
        broken.push(`${page}: ${link}: no such heading`);
    }
  }
  expect(broken).toEqual([]);
});

test("the index names every page", async () => {
  const links = localLinksOf(await readPage("docs/README.md"));
  const pages = [...(await docsPages()), ...designPages].filter((page) => page.startsWith("docs/"));
  const missing = pages.filter((page) => !links.includes(path.relative("docs", page)));
  expect(missing).toEqual(["docs/README.md"]);
});

test("blocks are found with their lines, and with what is done with them", () => {
  const page = [
    "<!-- test-setup",
    "mkdir app",
    "-->",
    "```sh",
    "slipway ls",
    "```",
    "````md",
    "```sh",
    "```",
    "````",
    "1. In a list:",
    "   ```ts",
    "   build();",
    "   ```",
    "```dockerfile file=app/Dockerfile",
    "FROM scratch",
    "```",
    "<!-- not run: it installs packages -->",
    "",
    "```sh",
    "npm ci",
    "```",
    "```text",
    "output",
    "```",
  ].join("\n");
  expect(blocksOf(page)).toEqual([
    { kind: "set-up", line: 2, text: "mkdir app\n" },
    { kind: "sh", line: 5, text: "slipway ls\n" },
    { kind: "read", line: 8, text: "```sh\n```\n", language: "md" },
    { kind: "ts", line: 13, text: "build();\n" },
    { kind: "file", line: 16, text: "FROM scratch\n", file: "app/Dockerfile" },
    { kind: "sh", line: 21, text: "npm ci\n", notRun: "it installs packages" },
    { kind: "read", line: 24, text: "output\n", language: "text" },
  ]);
});

test("what a reader would type is run, or says why not", async () => {
  const typed =
    /^(?:\$ )?(?:slipway|docker|buildx|npm|npx|node|ln|create|build|import|const|let|await|FROM|RUN)\b(?!:)/m;
  const found: string[] = [];
  for (const page of await docsPages())
    for (const { kind, line, text, language, notRun } of blocksOf(await readPage(page)))
      if (kind === "read" && notRun === undefined && (language !== "text" || typed.test(text)))
        found.push(`${page}:${line}`);
  expect(found).toEqual([]);
});

test("anchors are made as GitHub makes them", () => {
  const page = "# `slipway build`: a *first* look\n\n```sh\n# no heading\n```\n## Names\n## Names\n";
  expect([...anchorsOf(page)]).toEqual(["slipway-build-a-first-look", "names", "names-1"]);
});
