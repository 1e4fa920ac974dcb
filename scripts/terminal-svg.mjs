// usage: node scripts/terminal-svg.mjs FILE.svg [--columns N] [--rows N] COMMAND…
// Runs the command in a real terminal (tmux) and draws what is on it in the end, as an image that fits light and dark pages.
// The README's picture:
//   testbed/with sh -c 'slipway create --name demo --bootstrap &&
//     node scripts/terminal-svg.mjs docs/display.svg slipway build --builder demo --load -t slipway-demo examples/demo;
//     slipway rm demo'
// With - for the command, what `tmux capture-pane -e -p` gave is read from standard input.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  args: process.argv.slice(2, 3).concat(optionsOf(process.argv.slice(3))),
  allowPositionals: true,
  options: { columns: { type: "string", default: "100" }, rows: { type: "string", default: "50" } },
});
const [file, ...command] = positionals;
if (!file || command.length === 0) {
  console.error("usage: node scripts/terminal-svg.mjs FILE.svg [--columns N] [--rows N] COMMAND…");
  process.exit(1);
}
const screen = command[0] === "-" ? fs.readFileSync(0, "utf8") : capture(command);
fs.writeFileSync(file, svgOf(screen.replace(/\s+$/, "").split("\n"), Number(values.columns)));

/** Only what is before the command is ours to read. */
function optionsOf(args) {
  let own = 0;
  while (args[own]?.startsWith("--")) own += 2;
  return [...args.slice(0, own), "--", ...args.slice(own)];
}

/** What the terminal shows when the command has ended. */
function capture(words) {
  const socket = `slipway-picture-${process.pid}`;
  const tmux = (...args) =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const script = `env LANG=C.UTF-8 ${quoted}; tmux -L ${socket} wait-for -S ended; cat`;
  tmux("new-session", "-d", "-x", values.columns, "-y", values.rows, script);
  try {
    tmux("wait-for", "ended");
    return tmux("capture-pane", "-e", "-p");
  } finally {
    tmux("kill-server");
  }
}

/** A line as pieces of one look each; colours go on from line to line. */
function piecesOf(line, look) {
  const pieces = [];
  let column = 0;
  for (const [, sgr, text] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (text === undefined) for (const code of (sgr || "0").split(";").map(Number)) change(look, code);
    else {
      const classes = Object.values(look).filter(Boolean).join(" ");
      // What stands apart is placed by itself, whatever the reader's font and its handling of spaces.
      for (const match of text.matchAll(/\S+(?: \S+)*/g))
        pieces.push({ column: column + match.index, text: match[0], classes });
      column += text.length;
    }
  }
  return pieces;
}

function change(look, code) {
  if (code === 0) Object.assign(look, { colour: "", bold: "", dim: "" });
  else if (code === 1) look.bold = "bold";
  else if (code === 2) look.dim = "dim";
  else if (code === 22) Object.assign(look, { bold: "", dim: "" });
  else if (code >= 30 && code <= 37) look.colour = `c${code - 30}`;
  else if (code >= 90 && code <= 97) look.colour = `c${code - 90}`;
  else if (code === 39) look.colour = "";
}

function svgOf(lines, columns) {
  const [cell, leading, margin] = [7.8, 18, 14];
  const width = Math.ceil(columns * cell) + 2 * margin;
  const height = lines.length * leading + 2 * margin;
  const look = { colour: "", bold: "", dim: "" };
  const texts = lines.flatMap((line, row) =>
    piecesOf(line, look).map(({ column, text, classes }) => {
      const [x, y] = [margin + column * cell, margin + (row + 0.75) * leading];
      const attributes = `x="${round(x)}" y="${round(y)}" textLength="${round(text.length * cell)}"`;
      return `<text ${attributes}${classes && ` class="${classes}"`}>${escaped(text)}</text>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" xml:space="preserve">
<title>${escaped(lines[0].replace(/\x1b\[[\d;]*m/g, "").replace(/ +/g, " "))}</title>
<style>
svg { --back: #fff; --text: #24292f; --line: #d0d7de; --c1: #cf222e; --c2: #116329; --c3: #7d4e00; --c4: #0550ae; --c5: #8250df; --c6: #1b7c83 }
@media (prefers-color-scheme: dark) {
svg { --back: #0d1117; --text: #e6edf3; --line: #30363d; --c1: #ff7b72; --c2: #7ee787; --c3: #e3b341; --c4: #79c0ff; --c5: #d2a8ff; --c6: #56d4dd }
}
rect { fill: var(--back); stroke: var(--line) }
text { fill: var(--text); font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
${[1, 2, 3, 4, 5, 6].map((colour) => `.c${colour} { fill: var(--c${colour}) }`).join("\n")}
.bold { font-weight: 600 }
.dim { opacity: .65 }
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="6"/>
${texts.join("\n")}
</svg>
`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
