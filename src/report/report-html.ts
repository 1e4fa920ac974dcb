import { createHash } from "node:crypto";
import { Html, html } from "./page/html.js";
import { script } from "./page/script.js";
import { style } from "./page/style.js";
import { explained, network } from "./page/findings.js";
import { critical, failure, header } from "./page/summary.js";
import { layers, platformTable, transferTable, warnings } from "./page/tables.js";
import { timeline } from "./page/timeline.js";
import type { ReportModel } from "./report-model.js";

/**
 * The report as one HTML page. It loads nothing, its policy forbids it to, and it runs no script but its own. Text of
 * the build is escaped.
 */
export function reportHtml(model: ReportModel): string {
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="generator" content="slipway" />
        <link rel="icon" href="data:," />
        <title>${model.title}: ${model.outcome}</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        <a class="skip" href="#timeline">To the timeline</a>
        <main>
          ${header(model)} ${failure(model)} ${critical(model)} ${explained(model)} ${timeline(model)}
          ${platformTable(model)} ${transferTable(model)} ${network(model)} ${warnings(model)}
          ${layers(model)}
        </main>
        ${new Html(`<script>${script}</script>`)}
      </body>
    </html> `;
  return page.text;
}

/** How a policy names the one style sheet or script that it allows (CSP level 2). */
function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
