import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { BrowserPage, PageView } from "../support/browser-page.js";
import { Browser } from "../support/browser.js";
import { hostilePage, hostileText, largePage } from "../support/report-pages.js";
import { makeDirectory, removeDirectory, slipway, succeed } from "../support/slipway.js";

/** Reports of builds in a real browser; what they look like was seen by eye. */
const builder = "report-browser";
let browser: Browser;
let dir: string;
let opened: BrowserPage[] = [];

beforeAll(async () => {
  dir = await makeDirectory("report-browser");
  browser = await Browser.start();
  const hostile = `printf '%b\\n' '</script><script>alert(1)</script>\\033[31mred\\033[0m\\0342\\0200\\0256gnp.exe'`;
  await writeFile(
    path.join(dir, "Dockerfile"),
    `FROM busybox\nRUN ${hostile}\nRUN for i in $(seq 2000); do printf long; done\n`,
  );
  await writeFile(path.join(dir, "large.html"), largePage(2000));
  await writeFile(path.join(dir, "hostile.html"), hostilePage());
  await succeed(["create", "--name", builder, "--bootstrap"]);
  const build = ["build", "--builder", builder, "--progress", "quiet", "--no-cache"];
  await succeed([...build, "--report", "real.html", "."], { cwd: dir });
});

afterAll(async () => {
  await slipway(["rm", "--force", builder]);
  await browser?.[Symbol.asyncDispose]();
  await removeDirectory(dir);
});

// Whatever a test does with a page, nothing leaves it, nothing fails in it, and nothing of the build's text runs.
afterEach(() => {
  for (const { requests, complaints } of opened) {
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(/^file:.*\.html$/);
  }
  opened = [];
});

async function open(name: string, view: PageView = {}): Promise<BrowserPage> {
  const page = await browser.open(pathToFileURL(path.join(dir, name)).href, view);
  opened.push(page);
  return page;
}

const pages = ["real.html", "large.html", "hostile.html"];
/** How far the page's content reaches beyond its right edge, in CSS pixels. */
const overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
/** Least room between two marks of the axis, in CSS pixels. */
const axisGap = `(() => {
  const marks = [...document.querySelectorAll(".axis text")].filter((mark) => mark.checkVisibility());
  const boxes = marks.map((mark) => mark.getBoundingClientRect());
  return Math.min(...boxes.slice(1).map((box, index) => box.left - boxes[index].right));
})()`;
/** The row that has the focus: its number, whether it is open, and the outline that shows it. */
const focused = `(() => {
  const at = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const { top, bottom } = at.getBoundingClientRect();
  return { step: Number(at.closest(".steps > li")?.id.slice(5) ?? 0), open: at.parentElement.open === true,
    ring: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2, inView: top >= 0 && bottom <= innerHeight };
})()`;
/** Least contrast of any text against what is behind it (WCAG 2.2), and the text. */
const leastContrast = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parse(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (parse(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  let least = { contrast: 21, text: "" };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || !element.checkVisibility() || element.closest("script, style, title")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [element.closest("svg") ? style.fill : style.color, behind(element)].map(luminance);
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < least.contrast) least = { contrast, text: node.data.trim().slice(0, 40) };
  }
  return least;
})()`;

test("a real build's page shows its steps, and what they printed as text", async () => {
  const page = await open("real.html");
  expect(await page.evaluate("document.querySelector('.outcome').innerText")).toBe("Succeeded");
  const names = await page.evaluate<string[]>(
    "[...document.querySelectorAll('.steps > li > details > summary > .name')].map((each) => each.innerText)",
  );
  expect(names.length).toBeGreaterThanOrEqual(5);
  expect(names.join("\n")).toContain("[1/3] FROM docker.io/library/busybox");
  await page.evaluate("document.querySelector('[name=open]').click()");
  const logs = await page.evaluate<string>(
    "[...document.querySelectorAll('.log')].map((each) => each.innerText).join('\\n')",
  );
  expect(logs).toContain("</script><script>alert(1)</script>red\\u202egnp.exe");
  expect(logs).toContain("longlonglong");
  // Each bar ends where the axis does or before, and is wide enough to be seen.
  const bars = await page.evaluate<{ left: number; right: number; width: number }[]>(`(() => {
    const { left, right } = document.querySelector(".axis svg").getBoundingClientRect();
    return [...document.querySelectorAll(".steps rect")].map((bar) => bar.getBoundingClientRect()).map((bar) =>
      ({ left: bar.left - left, right: right - bar.right, width: bar.width }));
  })()`);
  for (const bar of bars) {
    expect(bar.left).toBeGreaterThan(-2);
    expect(bar.right).toBeGreaterThan(-2);
  }
});

test("hostile text stays text wherever a page shows it", async () => {
  const page = await open("hostile.html");
  await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
  expect(
    await page.evaluate("document.querySelectorAll('img, iframe, object, a[href^=javascript]').length"),
  ).toBe(0);
  expect(await page.evaluate("document.scripts.length")).toBe(1);
  const text = await page.evaluate<string>("document.body.innerText");
  expect(/[\x1b\u202e]/.test(text)).toBe(false);
  const shown = hostileText.slice(0, 80).replaceAll(/\x1b\[\d+m/g, "");
  expect(text.split(shown).length).toBeGreaterThan(10);
  expect(await page.evaluate("document.title")).toContain("<script>alert(2)</script>");
});

test("the keyboard alone reaches, opens and finds steps, and shows where it is", async () => {
  const page = await open("large.html");
  // The skip link comes first; from the timeline's heading, Tab goes on to its controls.
  await page.press("Tab");
  expect(await page.evaluate("document.activeElement.innerText")).toBe("To the timeline");
  expect(await page.evaluate(focused)).toMatchObject({ ring: true, inView: true });
  await page.press("Enter", "Tab", "Tab", "Tab", "Tab", "Tab");
  expect(await page.evaluate(focused)).toEqual({ step: 1, open: false, ring: true, inView: true });
  await page.press("ArrowDown", "ArrowDown", "Enter");
  expect(await page.evaluate(focused)).toEqual({ step: 3, open: true, ring: true, inView: true });
  expect(await page.evaluate("document.querySelector('#step-3 .log').checkVisibility()")).toBe(true);
  await page.press("ArrowLeft");
  expect(await page.evaluate(focused)).toMatchObject({ step: 3, open: false });
  await page.press("ArrowRight", "Tab");
  // Into what was opened: its links and its output are reached by Tab, and Escape leads back.
  expect(await page.evaluate("document.activeElement.closest('#step-3 .body') !== null")).toBe(true);
  await page.press("Escape", "End");
  expect(await page.evaluate(focused)).toEqual({ step: 2000, open: false, ring: true, inView: true });
  await page.press("Home", "PageDown", "c");
  const { step } = await page.evaluate<{ step: number }>(focused);
  expect(await page.evaluate(`document.querySelector("#step-${step}").matches(".critical")`)).toBe(true);
  await page.press("/", ..."part-777".split(""), "Enter");
  expect(await page.evaluate(focused)).toEqual({ step: 778, open: false, ring: true, inView: true });
  expect(await page.evaluate("document.querySelector('.filter output').value")).toBe("1 of 2000 steps");
  // Only one row is a stop of the Tab key.
  expect(
    await page.evaluate(
      "document.querySelectorAll('.steps > li > details > summary[tabindex=\"0\"]').length",
    ),
  ).toBe(1);
});

test.each(pages)("%s can be read in light, in dark and on a narrow screen", async (name) => {
  const page = await open(name);
  if (name !== "large.html")
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
  const backs = new Set<string>();
  for (const scheme of ["light", "dark"] as const)
    for (const width of [1280, 360]) {
      await page.show({ scheme, width });
      expect(await page.evaluate(overflow)).toBe(0);
      expect(await page.evaluate(axisGap)).toBeGreaterThan(4);
      const { contrast, text } = await page.evaluate<{ contrast: number; text: string }>(leastContrast);
      expect(contrast, `${text} in ${scheme}`).toBeGreaterThanOrEqual(4.5);
      backs.add(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor"));
    }
  expect(backs.size).toBe(2);
  // Nothing moves by itself, so there is nothing to hold still for who wants that.
  expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  expect(await readFile(path.join(dir, name), "utf8")).not.toMatch(/@keyframes|transition:|scroll-behavior/);
});

test.each(pages)("%s prints whole", async (name) => {
  const page = await open(name, { media: "print", width: 720, scheme: "dark" });
  expect(await page.evaluate(overflow)).toBe(0);
  // On paper nothing can be scrolled, and nothing may be cut off; the page is light whatever the screen is.
  const cut = await page.evaluate<string[]>(`[...document.querySelectorAll("main *")].filter((each) =>
    each.checkVisibility() && !each.matches(".spoken") && getComputedStyle(each).overflowX !== "visible" &&
    (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)).map((each) => each.outerHTML.slice(0, 80))`);
  expect(cut).toEqual([]);
  expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
  expect(await page.evaluate("document.querySelector('.filter').checkVisibility()")).toBe(false);
  const pdf = await page.pdf();
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
  expect(pdf.length).toBeGreaterThan(10_000);
});

test("a page of a browser that may run no script can be read and opened all the same", async () => {
  const page = await open("real.html", { scripts: false });
  expect(await page.evaluate("document.querySelector('.filter').checkVisibility()")).toBe(false);
  await page.press("Tab", "Tab", "Tab");
  expect(await page.evaluate("document.activeElement.matches('a, summary, pre')")).toBe(true);
});
