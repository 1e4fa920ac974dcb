import type { BuildExplanation } from "../core/index.js";
import { causeText } from "../progress/index.js";
import type { BuildRecord } from "./build-report.js";
import type { CliContext } from "./cli-context.js";

/** Causes of one step that are told; a change of a whole context has thousands. */
const mostCauses = 10;

/** Tells on stderr why steps ran again, when the build has ended. */
export function explanation({ stderr }: CliContext): BuildRecord {
  const all: BuildExplanation[] = [];
  return {
    collector(event) {
      if (event.type === "explained") all.push(event);
    },
    write: () => {
      for (const one of all) stderr.text(explanationText(one, (text) => stderr.cell(text)));
      return Promise.resolve();
    },
  };
}

function explanationText({ steps, unknown }: BuildExplanation, clean: (text: string) => string): string {
  if (unknown !== undefined) return `Why steps ran is not known: ${clean(unknown)}\n`;
  if (steps.length === 0) return "No step ran again that the earlier build had\n";
  const lines = steps.flatMap(({ name, causes }) => {
    const more = causes.length - mostCauses;
    return [
      ` ${clean(name)}`,
      ...causes.slice(0, mostCauses).map((cause) => `   ${clean(causeText(cause))}`),
      ...(more > 0 ? [`   and ${more} more`] : []),
    ];
  });
  return `Steps that ran again, and why:\n${lines.join("\n")}\n`;
}
