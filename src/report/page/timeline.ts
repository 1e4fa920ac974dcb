import type { ReportModel, ReportStep, TimeSpan } from "../report-model.js";
import { amount, duration, percent, rate, ticks } from "./amounts.js";
import { type Html, html } from "./html.js";
import { stepLink, textBlock } from "./summary.js";

const stateTexts: Readonly<Record<ReportStep["state"], string>> = {
  done: "",
  cached: "cached",
  failed: "failed",
  canceled: "canceled",
  unused: "not run",
};

/** All steps, a row each, on one axis of time; a row opens to what the step waited for, moved and said. */
export function timeline(model: ReportModel): Html {
  const { steps, milliseconds } = model;
  const dependents = new Map<number, number[]>();
  for (const { number, inputs } of steps)
    for (const input of inputs) {
      const others = dependents.get(input);
      if (others) others.push(number);
      else dependents.set(input, [number]);
    }
  const failed = model.failure?.step ?? 0;
  return html`<section class="digits-${String(steps.length).length}" aria-labelledby="timeline">
    <h2 id="timeline">Timeline</h2>
    <ul class="legend" aria-label="Legend">
      <li><i class="done"></i>ran</li>
      <li><i class="critical"></i>ran, on the critical path &#9670;</li>
      <li><i class="cached"></i>cached</li>
      <li><i class="failed"></i>failed or canceled</li>
      <li><i class="wait"></i>was ready, waited its turn</li>
    </ul>
    <form class="filter" aria-label="Which steps are shown" hidden>
      <label>Find <input type="search" name="text" autocomplete="off" spellcheck="false" /></label>
      <label
        >Show
        <select name="kind">
          <option value="">all steps</option>
          <option value="critical">critical path</option>
          <option value="ran">steps that ran</option>
          <option value="cached">cached</option>
          <option value="trouble">failed, canceled, warned</option>
        </select></label
      >
      <button type="button" name="open">Open all shown</button>
      <button type="button" name="close">Close all</button>
      <output aria-live="polite"></output>
      <p class="keys">
        <kbd>&uarr;</kbd> <kbd>&darr;</kbd> move, <kbd>Enter</kbd> or <kbd>&rarr;</kbd> open,
        <kbd>&larr;</kbd> close, <kbd>/</kbd> find, <kbd>c</kbd> next on the critical path
      </p>
    </form>
    <div class="axis" aria-hidden="true">
      <svg height="18">
        ${ticks(milliseconds, 8).map(
          ({ at, label }) =>
            html`<text
              x="${percent(at, milliseconds)}"
              y="13"
              text-anchor="${at === 0 ? "start" : at > milliseconds * 0.95 ? "end" : "middle"}"
              >${label}</text
            >`,
        )}
      </svg>
    </div>
    <ol class="steps">
      ${steps.map((step) => row(step, model, dependents.get(step.number) ?? [], step.number === failed))}
    </ol>
  </section>`;
}

function row(step: ReportStep, model: ReportModel, dependents: readonly number[], open: boolean): Html {
  const { number, name, state, critical, inputs, milliseconds } = step;
  const warned = model.warnings.some((warning) => warning.step === number);
  const kinds = [state, critical && "critical", warned && "warned"].filter(Boolean).join(" ");
  const text = stateTexts[state];
  return html`<li id="step-${number}" class="${kinds}" data-inputs="${inputs.join(" ")}"><details${open && html` open`}><summary><span class="number">${number}</span><span class="name">${name}</span>${track(step, model)}<span class="time">${warned && sign("⚠", "with warnings")}${critical && sign("◆", "on the critical path")}${text || duration(milliseconds)}</span></summary>
<div class="body">${body(step, model, dependents)}</div></details></li>
`;
}

/** A sign, and the same in words for those who do not see it. */
function sign(character: string, words: string): Html {
  return html`<span aria-hidden="true">${character} </span><span class="spoken">${words}, </span>`;
}

/** The row's piece of the timeline: a dotted line from when its inputs were there until it began, and a bar a run. */
function track({ runs, inputs, state }: ReportStep, { steps, milliseconds }: ReportModel): Html {
  const first = runs[0];
  if (!first || state === "unused") return html`<svg height="16" aria-hidden="true"></svg>`;
  const ready = Math.max(0, ...inputs.map((input) => endBefore(steps[input - 1], first.start)));
  const wait = first.start - ready > milliseconds / 500 && inputs.length > 0;
  return html`<svg height="16" aria-hidden="true">
    ${wait && html`<line x1="${percent(ready, milliseconds)}" x2="${percent(first.start, milliseconds)}" y1="8" y2="8" />`}${runs.map(
      ({ start, end }) =>
        html`<rect
          x="${percent(start, milliseconds)}"
          y="3"
          width="${percent(end - start, milliseconds)}"
          height="10"
          rx="1.5"
        />`,
    )}
  </svg>`;
}

function endBefore(step: ReportStep | undefined, time: number): number {
  const ends = (step?.runs ?? []).map(({ end }) => end).filter((end) => end <= time);
  return Math.max(0, ...ends);
}

/** What a row opens to. */
function body(step: ReportStep, model: ReportModel, dependents: readonly number[]): Html {
  const { inputs, runs, transfers, log, omittedBytes, error, group } = step;
  const links = (numbers: readonly number[]) =>
    numbers.slice(0, 50).map((number) => {
      const other = model.steps[number - 1];
      return other && html`<li>${stepLink(other)}</li>`;
    });
  const warnings = model.warnings.filter((warning) => warning.step === step.number);
  return html`${error !== "" && textBlock("Error", error, "message")}
    <dl>
      ${
        runs.length > 0 &&
        html`<dt>Ran</dt>
          <dd>${runs.slice(0, 10).map((run, index) => html`${index > 0 && ", "}${spanText(run)}`)}</dd>`
      }${
        group !== "" &&
        html`<dt>Group</dt>
          <dd>${group}</dd>`
      }${
        inputs.length > 0 &&
        html`<dt>Waited for</dt>
          <dd>
            <ul>
              ${links(inputs)}
            </ul>
          </dd>`
      }${
        dependents.length > 0 &&
        html`<dt>Needed by</dt>
          <dd>
            <ul>
              ${links(dependents)}
            </ul>
          </dd>`
      }${
        warnings.length > 0 &&
        html`<dt>Warnings</dt>
          <dd>
            <ul>
              ${warnings.map(({ short }) => html`<li>${short}</li>`)}
            </ul>
          </dd>`
      }${
        transfers.length > 0 &&
        html`<dt>Moved</dt>
          <dd>
            <ul>
              ${transfers.slice(0, 100).map((each) => html`<li>${each.name}: ${amount(each.bytes)}${each.milliseconds > 0 && ` in ${duration(each.milliseconds)}, ${rate(each.bytes, each.milliseconds)}`}</li>`)}
            </ul>
          </dd>`
      }
    </dl>
    ${log !== "" && textBlock("Output", log, "log")}${omittedBytes > 0 && html`<p class="note">${amount(omittedBytes)} of the output are not kept.</p>`}`;
}

function spanText({ start, end }: TimeSpan): string {
  return `from ${duration(start)} to ${duration(end)}`;
}
