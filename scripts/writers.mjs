// Checks that nothing but the command's printer writes to stdout or stderr, so that no text from outside reaches a terminal
// or a CI system's log uncleaned (SEC-31 to SEC-33). Prints each place that does, and exits with 1.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const src = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "src");

/** What a source file may not do, and the files that may, each with its reason. */
const rules = [
  {
    pattern: /\bconsole\s*[.[]/,
    what: "prints by console",
    but: {},
  },
  {
    pattern: /\bprocess\s*(?:\?\.|\.)\s*std(?:out|err)\b/,
    what: "takes the process's own output",
    but: {
      "action/main.ts": "hands it to the action, whose log it is",
      "cli/main.ts": "hands them to the printer",
      "docker-cli/main.ts": "hands them to the printer",
      "cli/end-process.ts": "looks whether they are out",
      "build/outputs.ts": "an export to `-` is payload",
    },
  },
  {
    pattern: /\bstd(?:out|err)(?:\s*(?:\?\.|\.)\s*stream)?\s*(?:\?\.|\.)\s*(?:write|end|cork)\b/,
    what: "writes past the printer",
    but: {},
  },
  {
    // A display cleans what it shows.
    pattern: /(?<!\bdisplay\([^)]*)\bstd(?:out|err)\s*(?:\?\.|\.)\s*stream\b/,
    what: "takes the printer's stream",
    but: {
      "cli/proxy-stdio.ts": "the connection is payload",
      "cli/invoke/terminal.ts": "the terminal is the shell's that was asked for",
      "docker-cli/container/carry-streams.ts": "another program's output is payload, also to a terminal",
    },
  },
  {
    pattern: /\bwriteSync\(\s*[12]\b/,
    what: "writes to a descriptor of the process",
    but: { "cli/startup/run-program.ts": "the version, a text of ours" },
  },
];

const problems = fs
  .readdirSync(src, { recursive: true })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("buildkit/gen/"))
  .flatMap(problemsOf);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function problemsOf(name) {
  const lines = fs.readFileSync(path.join(src, name), "utf8").split("\n");
  return lines.flatMap((line, index) => {
    if (/^\s*(?:\/\/|\/?\*)/.test(line)) return [];
    return rules
      .filter(({ pattern, but }) => pattern.test(line) && !(name in but))
      .map(({ what }) => `src/${name}:${index + 1}: ${what}: use a Printer (src/cli/printer.ts)`);
  });
}
