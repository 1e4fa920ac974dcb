import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { checkout } from "../support/docs-page.js";

test("a terminal's screen becomes an image, each piece in its column and colour", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "slipway-svg-"));
  try {
    const file = path.join(dir, "screen.svg");
    const script = path.join(checkout, "scripts/terminal-svg.mjs");
    const input = "[+] a & b   right\n\x1b[34m => <step>  0.1s\n => next\n\x1b[2m faint\x1b[0m\n\n\n";
    execFileSync(process.execPath, [script, file, "--columns", "40", "-"], { input });
    const texts = [
      ...(await readFile(file, "utf8")).matchAll(/<text (x="[\d.]+" y="[\d.]+").*?( class.*)?>.*</g),
    ];
    expect(texts.map(([text]) => text.replace(/ y="[^"]+" textLength="[^"]+"/, "").slice(6, -1))).toEqual([
      'x="14">[+] a &amp; b',
      'x="107.6">right',
      'x="21.8" class="c4">=&gt; &lt;step&gt;',
      'x="107.6" class="c4">0.1s',
      'x="21.8" class="c4">=&gt; next',
      'x="21.8" class="c4 dim">faint',
    ]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test("the README's picture is small, needs nothing from elsewhere, and says what it shows", async () => {
  const svg = await readFile(path.join(checkout, "docs/display.svg"), "utf8");
  expect(svg.length).toBeLessThan(40_000);
  expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
    /\bhttps?:|url\(|@import|<script|href/,
  );
  const title = /<title>(.*)<\/title>/.exec(svg)?.[1] ?? "";
  expect(title).toMatch(/^\[\+\] Building \d+\.\ds \(14\/14\) FINISHED docker-container:demo$/);
  const alt = /!\[([^\n]*)\]\(docs\/display\.svg\)/.exec(
    await readFile(path.join(checkout, "README.md"), "utf8"),
  );
  expect(alt?.[1]).toContain(title.split(" docker-")[0]);
});
