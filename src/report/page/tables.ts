import { cleanText } from "../clean-text.js";
import type { ReportModel, ReportStep } from "../report-model.js";
import { formatSource } from "../../progress/index.js";
import { amount, count, duration, percent, rate } from "./amounts.js";
import { type Html, html } from "./html.js";
import { shortName, stepLink, textBlock } from "./summary.js";

/** Rows of a table of transfers. */
const mostTransfers = 100;

/** The same steps of all platforms beside each other; only in a build for several. */
export function platformTable({ platforms, steps }: ReportModel): Html | undefined {
  if (platforms.length === 0) return undefined;
  const rows = new Map<string, Map<string, ReportStep>>();
  for (const step of steps) {
    if (step.platform === "") continue;
    const row = rows.get(step.commonName) ?? new Map<string, ReportStep>();
    rows.set(step.commonName, row.set(step.platform, step));
  }
  const longest = Math.max(
    1,
    ...steps.filter(({ platform }) => platform !== "").map((step) => step.milliseconds),
  );
  return html`<section aria-labelledby="platforms">
    <h2 id="platforms">Platforms side by side</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="platforms">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            ${platforms.map((platform) => html`<th scope="col">${platform}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${[...rows].map(
            ([name, row]) =>
              html`<tr>
                <th scope="row" class="name">${shortName(name)}</th>
                ${platforms.map((platform) => html`<td>${platformCell(row.get(platform), longest)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function platformCell(step: ReportStep | undefined, longest: number): Html | undefined {
  if (!step) return undefined;
  const { number, state, milliseconds } = step;
  const text = state === "done" ? duration(milliseconds) : state === "unused" ? "not run" : state;
  return html`<a href="#step-${number}">${text}</a>
    <svg class="bar ${state}" height="6" aria-hidden="true">
      <rect width="${percent(state === "cached" ? 0 : milliseconds, longest)}" height="6" />
    </svg>`;
}

/** What was moved: pulls, pushes, uploads of contexts, loads; the largest first. */
export function transferTable({ steps }: ReportModel): Html | undefined {
  const all = steps.flatMap(({ transfers }) => transfers).sort((a, b) => b.bytes - a.bytes);
  if (all.length === 0) return undefined;
  const largest = all[0]?.bytes ?? 1;
  return html`<section aria-labelledby="transfers">
    <h2 id="transfers">Transfers</h2>
    <div class="scroll" tabindex="0" role="region" aria-labelledby="transfers">
      <table>
        <thead>
          <tr>
            <th scope="col">Size</th>
            <th scope="col">Time</th>
            <th scope="col">Rate</th>
            <th scope="col">What</th>
            <th scope="col">Step</th>
          </tr>
        </thead>
        <tbody>
          ${all.slice(0, mostTransfers).map(
            ({ name, bytes, milliseconds, step, completed }) =>
              html`<tr>
                <td>
                  ${amount(bytes)}
                  <svg class="bar" height="6" aria-hidden="true">
                    <rect width="${percent(bytes, largest)}" height="6" />
                  </svg>
                </td>
                <td>${milliseconds > 0 && duration(milliseconds)}</td>
                <td>${rate(bytes, milliseconds)}</td>
                <td class="name">${shortName(shorten(name))}${!completed && " (not finished)"}</td>
                <td><a href="#step-${step}">#${step}</a></td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${all.length > mostTransfers && html`<p class="note">and ${count(all.length - mostTransfers, "smaller one")}</p>`}
  </section>`;
}

/** The result's layers, a column for each platform. */
export function layers({ images }: ReportModel): Html | undefined {
  if (images.every(({ layers }) => layers.length === 0)) return undefined;
  const largest = Math.max(1, ...images.flatMap(({ layers }) => layers.map(({ size }) => size)));
  return html`<section aria-labelledby="layers">
    <h2 id="layers">Layers of the result</h2>
    <div class="columns">
      ${images.map(
        ({ platform, digest, layers }) =>
          html`<div>
            <h3>
              ${platform || "Image"}: ${amount(layers.reduce((sum, { size }) => sum + size, 0))} in
              ${count(layers.length, "layer")}
            </h3>
            <p class="note digest">${digest}</p>
            <div class="scroll" tabindex="0" role="region" aria-label="Layers of ${platform || "the image"}">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Size</th>
                    <th scope="col">Made by</th>
                  </tr>
                </thead>
                <tbody>
                  ${layers.map(
                    ({ size, digest, createdBy }) =>
                      html`<tr>
                        <td>
                          ${amount(size)}
                          <svg class="bar" height="6" aria-hidden="true">
                            <rect width="${percent(size, largest)}" height="6" />
                          </svg>
                        </td>
                        <td class="name" title="${digest}">
                          ${createdBy === undefined ? shorten(digest) : createdBy}
                        </td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
          </div>`,
      )}
    </div>
  </section>`;
}

/** Warnings of the frontend, and what the client had to say. */
export function warnings({ warnings, messages, steps }: ReportModel): Html | undefined {
  if (warnings.length === 0 && messages.length === 0) return undefined;
  return html`<section aria-labelledby="warnings">
    <h2 id="warnings">Warnings</h2>
    <ul class="warnings">
      ${messages.map((text) => html`<li>${text}</li>`)}${warnings.map((warning) => {
        const step = steps[warning.step - 1];
        const { short, detail, url, source, ranges } = warning;
        return html`<li>
          <details>
            <summary>${cleanText(short)}</summary>
            ${detail.map((text) => html`<p>${cleanText(text)}</p>`)}
            ${/^https?:\/\//.test(url) && html`<p><a href="${url}" rel="noreferrer noopener">${cleanText(url)}</a></p>`}
            ${step && html`<p>In step ${stepLink(step)}</p>`}
            ${source && ranges.length > 0 && textBlock("Source", cleanText(formatSource(source, ranges)))}
          </details>
        </li>`;
      })}
    </ul>
  </section>`;
}

/** Digests are told apart by their beginnings. */
function shorten(text: string): string {
  return text.replace(/\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b/g, "$1…");
}
