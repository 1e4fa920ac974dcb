import { readFile, readdir } from "node:fs/promises";
import path from "node:path";

/** The repository. */
export const checkout = path.join(import.meta.dirname, "../..");

/** A part of a page that a test can do something with. */
export interface PageBlock {
  /**
   * `sh` and `ts` blocks are run, `set-up` is a script that readers do not see, and any block with `file=NAME` behind its
   * language (```` ```dockerfile file=Dockerfile ````) is written to that file. All else is only read.
   */
  kind: "sh" | "ts" | "set-up" | "file" | "read";
  /** Line of its first line of text in the page, from 1. */
  line: number;
  text: string;
  /** Name of the file, of a `file` block. */
  file?: string;
  /** Language of a `read` block. */
  language?: string;
  /** Why it is not run, from a comment right above: `<!-- not run: REASON -->`. */
  notRun?: string;
}

/** The pages that users read: the README and everything in docs/, as paths from the repository's root. */
export async function docsPages(): Promise<string[]> {
  const names = await readdir(path.join(checkout, "docs"));
  return ["README.md", ...names.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
}

/** Reads a page of {@link docsPages}. */
export function readPage(page: string): Promise<string> {
  return readFile(path.join(checkout, page), "utf8");
}

/** The blocks of a page, from top to bottom. */
export function blocksOf(markdown: string): PageBlock[] {
  const blocks: PageBlock[] = [];
  let fence: { marker: string; indent: number; block: PageBlock } | undefined;
  let comment: PageBlock | undefined;
  let notRun: string | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (comment) {
      if (line.trim() === "-->") comment = void blocks.push(comment);
      else comment.text += `${line}\n`;
    } else if (fence) {
      if (line.trim() === fence.marker) {
        blocks.push(fence.block);
        fence = undefined;
      } else fence.block.text += `${line.slice(fence.indent)}\n`;
    } else if (line.trim() === "<!-- test-setup") {
      comment = { kind: "set-up", line: index + 2, text: "" };
    } else {
      const opened = /^( *)(`{3,}|~{3,})([^`]*)$/.exec(line);
      if (opened) {
        const [, indent = "", marker = "", info = ""] = opened;
        const block = blockFor(info, index + 2);
        if (notRun !== undefined) block.notRun = notRun;
        fence = { marker, indent: indent.length, block };
      }
      const reason = /^<!-- not run: (.+) -->$/.exec(line.trim())?.[1];
      if (reason !== undefined || line.trim() !== "") notRun = reason;
    }
  }
  if (comment ?? fence) throw new Error("the page's last block has no end");
  return blocks;
}

function blockFor(info: string, line: number): PageBlock {
  const [language = "", ...words] = info.trim().split(/\s+/);
  const file = words.find((word) => word.startsWith("file="))?.slice("file=".length);
  if (file !== undefined) return { kind: "file", line, text: "", file };
  if (language === "sh" || language === "ts") return { kind: language, line, text: "" };
  return { kind: "read", line, text: "", language };
}

/** Anchors of a page, as GitHub makes them of its headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const heading of proseOf(markdown).matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const text = (heading[1] ?? "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");
    const slug = text
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Targets of a page's links and images that are not on the web. */
export function localLinksOf(markdown: string): string[] {
  const text = proseOf(markdown).replace(/`[^`\n]*`/g, "");
  const inline = [...text.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target]) => target ?? "");
  const others = [...text.matchAll(/^\[[^\]]+\]: (\S+)|\b(?:href|src|srcset)="([^"]+)"/gm)];
  return [...inline, ...others.map(([, reference, attribute]) => reference ?? attribute ?? "")].filter(
    (target) => !/^[a-z][a-z0-9+.-]*:/i.test(target),
  );
}

/** A page without its fenced blocks and comments. */
function proseOf(markdown: string): string {
  return markdown.replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ *\2$/gm, "").replace(/<!--[\s\S]*?-->/g, "");
}
