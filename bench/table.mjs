/** One line of the table: a workload on an engine, one way of slipway's beside what it is compared with. */
export function lines(workloads, results) {
  return workloads.flatMap((workload) =>
    workload.engines.flatMap((engine) => {
      const rounds = results.of(workload.id, engine);
      const [base, ...others] = workload.ways;
      return rounds.length === 0 ? [] : others.map((way) => line(workload, engine, rounds, base, way));
    }),
  );
}

function line(workload, engine, rounds, base, way) {
  const pairs = rounds.map(({ runs }) => ({ own: withCpu(runs[way]), other: withCpu(runs[base]) }));
  const quantity = (key) => ({
    own: median(pairs.map(({ own }) => own[key])),
    other: median(pairs.map(({ other }) => other[key])),
    ratio: spread(pairs.map(({ own, other }) => own[key] / other[key])),
  });
  const [wall, cpu, rss] = ["wall", "cpu", "peakRss"].map(quantity);
  const target = workload.targets[way] ?? {};
  const missed = [
    target.wall !== undefined && wall.ratio.median > target.wall && "wall",
    target.cpu !== undefined && cpu.ratio.median > target.cpu && "CPU",
    target.rss !== undefined && rss.own > target.rss && "RSS",
  ].filter(Boolean);
  return { workload, engine, way, pairs: pairs.length, wall, cpu, rss, target, missed };
}

const withCpu = (usage) => ({ ...usage, cpu: usage.user + usage.system });

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The whole table, with spreads, medians of either side and targets. */
export function fullTable(workloads, results) {
  return table(
    ["workload", "engine", "way", "pairs", "wall", "s", "CPU", "s", "peak RSS, MB", "target", "missed"],
    lines(workloads, results).map(({ workload, engine, way, pairs, wall, cpu, rss, target, missed }) => [
      workload.title,
      engine,
      way,
      pairs,
      ratioWithSpread(wall.ratio),
      `${seconds(wall.own)} / ${seconds(wall.other)}`,
      ratioWithSpread(cpu.ratio),
      `${seconds(cpu.own)} / ${seconds(cpu.other)}`,
      `${megabytes(rss.own)} / ${megabytes(rss.other)}`,
      targetText(target),
      missed.join(", "),
    ]),
  );
}

/** The short table for the README: a line for each workload, its two ways beside each other. */
export function shortTable(workloads, results) {
  const all = lines(workloads, results);
  const groups = groupBy(all, ({ workload, engine }) => `${workload.id} ${engine}`);
  return table(
    ["slipway / buildx", "wall, socket", "wall, exec", "CPU, socket", "CPU, exec", "peak RSS, MB"],
    [...groups.values()]
      .filter(([first, second]) => first.workload.ways[0] === "buildx" && second !== undefined)
      .map((ways) => {
        const by = (way) => ways.find((line) => line.way === way);
        const ratioOf = (way, key) => ratio(by(way)[key].ratio.median);
        const [{ workload, engine, rss }] = ways;
        const where = workload.engines.length > 1 ? `, ${storeNames[engine]}` : "";
        const peak = Math.max(...ways.map((line) => line.rss.own));
        return [
          `${workload.title}${where}`,
          ratioOf("socket", "wall"),
          ratioOf("exec", "wall"),
          ratioOf("socket", "cpu"),
          ratioOf("exec", "cpu"),
          `${megabytes(peak)} / ${megabytes(rss.other)}`,
        ];
      }),
  );
}

const storeNames = { docker: "classic store", "docker-containerd": "containerd store" };

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Where and when the numbers are from. */
export function origin({ machine, rounds }) {
  const dates = rounds.map(({ date }) => date.slice(0, 10)).sort();
  const when = dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
  return (
    `${machine.cores} cores of ${machine.cpu}, ${machine.memory}, ${machine.system}, Node ${machine.node}; ` +
    `buildx ${machine.buildx}, BuildKit ${machine.buildkit}; ${when}`
  );
}

function table(heads, rows) {
  const text = (cells) => `| ${cells.join(" | ")} |`;
  return [text(heads), text(heads.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(text)].join(
    "\n",
  );
}

function targetText({ wall, cpu, rss }) {
  const parts = [
    wall !== undefined && `wall ≤ ${wall}`,
    cpu !== undefined && `CPU ≤ ${cpu}`,
    rss !== undefined && `RSS ≤ ${rss / 1e6} MB`,
  ];
  return parts.filter(Boolean).join(", ");
}

const ratio = (value) => (value < 0.1 ? value.toFixed(3) : value.toFixed(2));
const ratioWithSpread = ({ median, least, most }) => `${ratio(median)} (${ratio(least)}–${ratio(most)})`;
const seconds = (value) => (value < 1 ? value.toFixed(3) : value.toFixed(1));
const megabytes = (bytes) => Math.round(bytes / 1e6);
