import { causeText } from "../../progress/index.js";
import { cleanText } from "../clean-text.js";
import type { ReportModel } from "../report-model.js";
import { count } from "./amounts.js";
import { type Html, html } from "./html.js";
import { stepLink } from "./summary.js";

/** Causes of one step that are listed. */
const mostCauses = 20;

/** Why steps ran again that an earlier build had. */
export function explained({ explained, steps }: ReportModel): Html | undefined {
  if (!explained) return undefined;
  const { unknown } = explained;
  const none =
    unknown === undefined
      ? "No step ran that the earlier build had."
      : `That is not known: ${cleanText(unknown)}`;
  return html`<section aria-labelledby="explained">
    <h2 id="explained">Why steps ran again</h2>
    ${explained.steps.length === 0 && html`<p>${none}</p>`}
    <ul>
      ${explained.steps.map(({ digest, name, causes }) => {
        const step = steps.find((one) => one.digest === digest);
        const more = causes.length - mostCauses;
        return html`<li>
          ${step ? stepLink(step) : cleanText(name)}
          <ul>
            ${causes.slice(0, mostCauses).map((cause) => html`<li>${cleanText(causeText(cause))}</li>`)}
            ${more > 0 && html`<li>and ${more} more</li>`}
          </ul>
        </li>`;
      })}
    </ul>
  </section>`;
}

/** What the build asked of the network. */
export function network({ network }: ReportModel): Html | undefined {
  if (!network) return undefined;
  const { requests, left, cachedSteps } = network;
  return html`<section aria-labelledby="network">
    <h2 id="network">Network</h2>
    <p>
      ${count(requests.length + left, "request")}${
        cachedSteps.length > 0 &&
        `; ${count(cachedSteps.length, "RUN step")} came from the cache and asked nothing`
      }.
    </p>
    ${
      requests.length > 0 &&
      html`<div class="scroll" tabindex="0" role="region" aria-label="Requests">
        <table>
          <thead>
            <tr>
              <th scope="col">Answer</th>
              <th scope="col">URL</th>
              <th scope="col">Step</th>
            </tr>
          </thead>
          <tbody>
            ${requests.map(
              ({ url, allowed, method = "", status, step = "" }) =>
                html`<tr>
                  <td>${allowed ? (status ?? "let through") : "refused"}</td>
                  <td class="name">${cleanText(`${method} ${url}`.trim())}</td>
                  <td class="name">${cleanText(step)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    }
    ${left > 0 && html`<p>${left} more are not listed.</p>`}
  </section>`;
}
