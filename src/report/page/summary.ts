import type { CriticalStretch, ReportModel, ReportStep } from "../report-model.js";
import { amount, count, duration, percent, share } from "./amounts.js";
import { type Html, html } from "./html.js";

const outcomes = { succeeded: "Succeeded", failed: "Failed", canceled: "Canceled" } as const;

/** Heading: what it was, how it came out, and its figures. */
export function header(model: ReportModel): Html {
  const { steps, images } = model;
  const bytes = steps.flatMap(({ transfers }) => transfers).reduce((sum, each) => sum + each.bytes, 0);
  const size = images.flatMap(({ layers }) => layers).reduce((sum, each) => sum + each.size, 0);
  const cached = steps.filter(({ state }) => state === "cached").length;
  const facts: [string, string][] = [
    ["Time", duration(model.milliseconds)],
    ["Steps", `${count(steps.length, "step")}, ${cached} cached`],
    ["Transferred", bytes > 0 ? amount(bytes) : ""],
    ["Image", size > 0 ? amount(size) : ""],
    ["Warnings", model.warnings.length > 0 ? String(model.warnings.length) : ""],
    ["Platforms", model.platforms.join(", ")],
    [
      "Begun",
      steps.length > 0
        ? model.begun
            .toISOString()
            .replace("T", " ")
            .replace(/\.\d+Z$/, " UTC")
        : "",
    ],
    ["Builder", model.builder],
    ["History", model.ref],
  ];
  return html`<header>
    <p class="outcome ${model.outcome}">${outcomes[model.outcome]}</p>
    <h1>${model.title}</h1>
    <dl class="facts">
      ${facts
        .filter(([, value]) => value !== "")
        .map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
    </dl>
  </header>`;
}

/** What went wrong, and where. */
export function failure({ failure, steps }: ReportModel): Html | undefined {
  if (!failure) return undefined;
  const step = steps[failure.step - 1];
  return html`<section class="failure" aria-labelledby="failure">
    <h2 id="failure">What went wrong</h2>
    ${textBlock("Error", failure.message, "message")} ${step && html`<p>In step ${stepLink(step)}</p>`}
    ${failure.sources.map((source) => textBlock("Source", source))}
    ${
      step &&
      step.log !== "" &&
      html`<p>Its last lines:</p>
        ${textBlock("Last lines of output", lastLines(step.log, 20))}`
    }
  </section>`;
}

/** The chain of steps that the build's length comes from, as one bar and as a list. */
export function critical({ criticalPath, steps, milliseconds }: ReportModel): Html | undefined {
  if (criticalPath.length === 0 || milliseconds === 0) return undefined;
  const long = worthShowing(criticalPath, milliseconds);
  const sum = lengthOf(criticalPath);
  const rest = criticalPath.filter(({ start, end }) => end > start).length - long.length;
  const idle = milliseconds - sum;
  return html`<section aria-labelledby="critical">
    <h2 id="critical">Critical path</h2>
    <p>
      ${duration(sum)} of ${duration(milliseconds)}: the build is as long as these steps are, one after the
      other. To make it faster, make these
      faster.${idle > milliseconds / 20 && ` For the other ${duration(idle)} none of them ran: the next one could have begun, and had not.`}
    </p>
    <svg class="path" height="18" aria-hidden="true">
      ${barsOf(criticalPath, new Set(long), milliseconds).map(
        ({ start, end, step, kind }) =>
          html`<rect
            class="${kind}"
            x="${percent(start, milliseconds)}"
            y="0"
            width="${percent(end - start, milliseconds)}"
            height="18"
            >${step !== undefined && html`<title>${shortName(steps[step - 1]?.name ?? "")}</title>`}</rect
          >`,
      )}
    </svg>
    <table class="path">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Share</th>
          <th scope="col">Step</th>
        </tr>
      </thead>
      <tbody>
        ${long.map(({ start, end, step }) => {
          const known = steps[step - 1];
          return html`<tr>
            <td>${duration(end - start)}</td>
            <td>${share(end - start, milliseconds)}</td>
            <td>${known && stepLink(known)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
    ${rest > 0 && html`<p class="note">and ${count(rest, "more step")}, ${duration(sum - lengthOf(long))} together (pale in the bar)</p>`}
  </section>`;
}

/** Stretches that are shown even when each is a tiny part of the build. */
const leastShown = 10;

/** The stretches that make up half a percent of the build or more, and the longest ones in any case, in order. */
function worthShowing(path: readonly CriticalStretch[], milliseconds: number): CriticalStretch[] {
  const byLength = path
    .filter(({ start, end }) => end > start)
    .sort((a, b) => b.end - b.start - (a.end - a.start));
  const worth = Math.max(1, milliseconds / 200);
  const shown = new Set(
    byLength.filter(({ start, end }, index) => index < leastShown || end - start >= worth),
  );
  return path.filter((stretch) => shown.has(stretch));
}

/** A piece of the path's bar; it is of one step, or of several that the list leaves out. */
interface PathBar {
  start: number;
  end: number;
  step?: number;
  /** Narrow ones have no line around them, which would leave nothing of them. */
  kind: "wide" | "narrow" | "rest";
}

/** Each listed stretch as a bar of its own, and what lies between as one, unless there is a gap in it. */
function barsOf(
  path: readonly CriticalStretch[],
  listed: ReadonlySet<CriticalStretch>,
  milliseconds: number,
): PathBar[] {
  const bars: PathBar[] = [];
  for (const stretch of path) {
    const { start, end, step } = stretch;
    const last = bars.at(-1);
    if (listed.has(stretch))
      bars.push({ start, end, step, kind: end - start > milliseconds / 100 ? "wide" : "narrow" });
    else if (last?.kind === "rest" && start - last.end <= milliseconds / 500) last.end = end;
    else bars.push({ start, end, kind: "rest" });
  }
  return bars;
}

function lengthOf(path: readonly CriticalStretch[]): number {
  return path.reduce((total, { start, end }) => total + end - start, 0);
}

/** A step's number and name, leading to its row, which has all of the name. */
export function stepLink({ number, name }: ReportStep): Html {
  return html`<a href="#step-${number}">#${number} <span class="name">${shortName(name)}</span></a>`;
}

/** Text of several lines, which the keyboard can scroll. */
export function textBlock(label: string, text: string, kind = "text"): Html {
  return html`<pre class="${kind}" tabindex="0" role="group" aria-label="${label}">${text}</pre>`;
}

/** The beginning of a name, where the whole of it stands elsewhere. */
export function shortName(name: string): string {
  const characters = Array.from(name.slice(0, 400));
  return characters.length < 200 ? name : `${characters.slice(0, 199).join("")}…`;
}

function lastLines(text: string, most: number): string {
  return text.split("\n").slice(-most).join("\n");
}
