import { parseArgs } from "node:util";

/** Texts of `--help`. */
export const usage = `usage: npm run bench [-- OPTIONS] [WORKLOAD…]

Runs slipway and buildx on the same engine and builders, in turns, and renders what it took:
bench/results/latest.json, bench/results/latest.md and the table in README.md.

  --pairs N         pairs of runs for each workload (default 5)
  --budget MINUTES  end after that time: first one pair of everything, then more of what has fewest
  --quick           one pair of each, without the slow reader
  --only IDS        these workloads only, like naming them
  --skip IDS        all but these
  --engine NAME     docker or docker-containerd; default: both, each with the workloads that the table wants of it
  --resume          keep the rounds that are there, and go on; otherwise a workload that is run begins anew
  --render          only render what is there
  --no-render       only measure
  --list            names of the workloads
`;

/** Reads the command line. */
export function readOptions(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      pairs: { type: "string", default: "5" },
      budget: { type: "string" },
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      skip: { type: "string", multiple: true, default: [] },
      engine: { type: "string", multiple: true, default: [] },
      resume: { type: "boolean", default: false },
      render: { type: "boolean", default: false },
      "no-render": { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const names = (lists) => lists.flatMap((list) => list.split(",")).filter(Boolean);
  const skip = names(values.skip);
  if (values.quick) skip.push("slow-reader");
  return {
    pairs: values.quick ? 1 : positive("pairs", values.pairs),
    budget: values.budget === undefined ? undefined : positive("budget", values.budget) * 60_000,
    only: [...names(values.only), ...positionals],
    skip,
    engines: names(values.engine),
    resume: values.resume,
    render: values.render,
    measureOnly: values["no-render"],
    list: values.list,
    help: values.help,
  };
}

function positive(name, text) {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} wants a number above 0, not ${JSON.stringify(text)}`);
  return number;
}

/** The workloads that are asked for; an unknown name is an error. */
export function selected(workloads, { only, skip }) {
  const known = new Set(workloads.map(({ id }) => id));
  const unknown = [...only, ...skip].filter((id) => !known.has(id));
  if (unknown.length > 0)
    throw new Error(`no such workload: ${unknown.join(", ")} (there are ${[...known].join(", ")})`);
  // Who names a workload wants it, also with --quick.
  return workloads.filter(({ id }) => (only.length > 0 ? only.includes(id) : !skip.includes(id)));
}
