import { access, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

/** `build --report` and `history report` on a real builder. */
const builder = "report-page";
let context: string;

beforeAll(async () => {
  context = await makeDirectory("report");
  await writeFile(
    path.join(context, "Dockerfile"),
    "FROM busybox\nRUN echo ahoy-there; echo '</script><b>'\n",
  );
  await writeFile(path.join(context, "Bad"), "FROM busybox\nRUN echo last-words && exit 3\n");
  await writeFile(path.join(context, "Copies"), "FROM busybox\nCOPY Bad /bad\n");
  await succeed(["create", "--name", builder, "--bootstrap"]);
});

afterAll(async () => {
  await slipway(["rm", "--force", builder]);
  await removeDirectory(context);
});

const build = (...args: string[]) =>
  slipway(["build", "--builder", builder, "--progress", "quiet", ...args, "."], { cwd: context });
const report = (...args: string[]) =>
  slipway(["history", "report", "--builder", builder, ...args], { cwd: context });

/** A page, which must load nothing from elsewhere and be the only thing that was written. */
async function pageAt(file: string): Promise<string> {
  const page = await readFile(path.join(context, file), "utf8");
  expect(page.trimEnd()).toMatch(/^<!doctype html>[\s\S]*<\/html>$/);
  expect(page).not.toMatch(/(?:src|href|action)="(?!#|data:)|url\(|@import/);
  expect(page).toContain("default-src");
  expect(await leftovers()).toEqual([]);
  return page;
}

/** Files that were begun under another name. */
const leftovers = async () => (await readdir(context)).filter((name) => /tmp|^\.|\.html\./.test(name));

test("a good build, as it ended and from history", async () => {
  expect(await build("--no-cache", "--report", "good.html")).toMatchObject({ exitCode: 0 });
  expect(await report("-o", "good-later.html")).toMatchObject({ exitCode: 0, stdout: "" });
  for (const page of [await pageAt("good.html"), await pageAt("good-later.html")]) {
    expect(page).toContain('class="outcome succeeded"');
    expect(page).toContain("[internal] load build definition from Dockerfile");
    expect(page).toMatch(/\[2\/2\] RUN echo ahoy-there/);
    expect(page).toMatch(/class="log"[^>]*>ahoy-there\n/);
    expect(page).toContain(`${builder}/${builder}0/`);
    expect(page).not.toContain("</script><b>");
  }
});

/** The part of a page that shows the layers of the result. */
const layersOf = (page: string) => /<section aria-labelledby="layers">.*?<\/section>/s.exec(page)?.[0] ?? "";

test("the layers of the result, as it ended and from history", async () => {
  const output = ["--output", "type=oci,dest=out.tar"];
  expect(await build(...output, "--report", "layers.html")).toMatchObject({ exitCode: 0 });
  expect(await report("-o", "layers-later.html")).toMatchObject({ exitCode: 0 });
  const layers = layersOf(await pageAt("layers.html"));
  expect(layers).toMatch(/in\s+2 layers/);
  expect(layers).toMatch(/\d+ B[\s\S]*RUN \/bin\/sh -c echo ahoy-there/);
  expect(layersOf(await pageAt("layers-later.html"))).toBe(layers);
});

test("a result that is no image has no layers", async () => {
  expect(await build("--output", "type=tar,dest=out.tar")).toMatchObject({ exitCode: 0 });
  expect(await report("-o", "tar.html")).toMatchObject({ exitCode: 0 });
  expect(layersOf(await pageAt("tar.html"))).toBe("");
});

test("a failed build, as it ended and from history", async () => {
  expect(await build("-f", "Bad", "--report", "bad.html")).toMatchObject({ exitCode: 1 });
  expect(await report("^0", "-o", "bad-later.html")).toMatchObject({ exitCode: 0 });
  for (const page of [await pageAt("bad.html"), await pageAt("bad-later.html")]) {
    expect(page).toContain('class="outcome failed"');
    const [failure = ""] = /<section class="failure".*?<\/section>/s.exec(page) ?? [];
    expect(failure).toContain("exit code: 3");
    expect(failure).toMatch(/In step <a href="#step-\d+">/);
    expect(failure).toMatch(/Bad:2[\s\S]*last-words/);
    expect(page).toMatch(/<li id="step-\d+" class="failed[^>]*><details open>/);
  }
});

test("two platforms stand side by side", async () => {
  const platforms = ["--platform", "linux/amd64,linux/arm64", "--output", "type=oci,dest=out.tar"];
  expect(await build("-f", "Copies", ...platforms, "--report", "two.html")).toMatchObject({ exitCode: 0 });
  expect(await report("-o", "two-later.html")).toMatchObject({ exitCode: 0 });
  for (const page of [await pageAt("two.html"), await pageAt("two-later.html")]) {
    expect(page).toContain("linux/amd64, linux/arm64");
    expect(page).toMatch(/\[linux\/arm64 2\/2\] COPY Bad/);
    expect(page).toMatch(/<th scope="col">linux\/amd64<\/th>\s*<th scope="col">linux\/arm64<\/th>/);
    for (const platform of ["amd64", "arm64"])
      expect(layersOf(page)).toMatch(new RegExp(`linux/${platform}: [\\d.]+ MB in\\s+2 layers`));
  }
});

test("what cannot be is said, and leaves the old file", async () => {
  await writeFile(path.join(context, "kept.html"), "old");
  await writeFile(path.join(context, "file"), "");
  const cases: [args: string[], message: string][] = [
    [["^99", "-o", "kept.html"], "no completed build found with offset"],
    [["nonsuch", "-o", "kept.html"], 'no record found for ref "nonsuch"'],
    [[], "give --output a path"],
    [["-o", "-"], "give --output a path"],
    [["-o", "missing/build.html"], "cannot write report missing/build.html: there is no directory missing"],
    [["-o", "file/build.html"], "cannot write report file/build.html"],
    [["-o", "."], "cannot write report .: it is a directory"],
  ];
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await report(...args);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(message);
  }
  expect(await readFile(path.join(context, "kept.html"), "utf8")).toBe("old");
  expect(await build("--report", "missing/build.html")).toMatchObject({ exitCode: 1 });
  await expect(access(path.join(context, "missing"))).rejects.toThrow("ENOENT");
  expect(await leftovers()).toEqual([]);
});
