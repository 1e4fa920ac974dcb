/** What a template prints for a missing value. */
const noValue = "<no value>";

/** A value as Go's `%v`: lists `[a b]`, maps `map[a:1]`, other objects `{1 2}`, nothing `<no value>`. */
export function goString(value: unknown): string {
  return value === undefined || value === null ? noValue : inner(value);
}

function inner(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "undefined":
      return "<nil>";
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(inner).join(" ")}]`;
  if (value instanceof Map) {
    const entries = [...(value as Map<unknown, unknown>)]
      .map(([key, item]) => [inner(key), inner(item)])
      .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${item}`).join(" ")}]`;
  }
  if (value instanceof Date) return value.toISOString();
  return `{${Object.values(value).map(inner).join(" ")}}`;
}

/** Go's fmt.Sprint: values side by side, with a space between two that are no strings. */
export function goSprint(values: readonly unknown[]): string {
  let text = "";
  for (const [index, value] of values.entries()) {
    const isApart = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
    text += (isApart ? " " : "") + inner(value);
  }
  return text;
}

/** Go's fmt.Sprintln. */
export function goSprintln(values: readonly unknown[]): string {
  return `${values.map(inner).join(" ")}\n`;
}

/** Go's fmt.Sprintf for the verbs s v q d x X f g t c and %, with flags `-`, `0`, `+`, width and precision. */
export function goSprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+0 #]*)([1-9]\d*)?(?:\.(\d+))?([a-zA-Z%])/g,
    (_all, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const digits = precision === undefined ? undefined : Number(precision);
      const shown = formatVerb(verb, values[next++], flags, digits);
      const columns = Number(width ?? 0);
      if (flags.includes("-")) return shown.padEnd(columns);
      return shown.padStart(columns, flags.includes("0") && verb !== "s" && verb !== "v" ? "0" : " ");
    },
  );
  if (next >= values.length) return text;
  return `${text}%!(EXTRA ${values
    .slice(next)
    .map((value) => `${goType(value)}=${inner(value)}`)
    .join(", ")})`;
}

function formatVerb(verb: string, value: unknown, flags: string, precision: number | undefined): string {
  switch (verb) {
    case "s":
    case "v": {
      const text = inner(value);
      return precision === undefined ? text : Array.from(text).slice(0, precision).join("");
    }
    case "q":
      return JSON.stringify(inner(value));
    case "t":
      return typeof value === "boolean" ? String(value) : bad(verb, value);
    case "x":
    case "X": {
      const hex =
        typeof value === "string"
          ? Buffer.from(value).toString("hex")
          : Math.trunc(numberOf(value)).toString(16);
      return verb === "x" ? hex : hex.toUpperCase();
    }
    default:
      return formatNumber(verb, value, flags, precision) ?? bad(verb, value);
  }
}

/** A number by one of the verbs for numbers; undefined for what is none, and for other verbs. */
function formatNumber(
  verb: string,
  value: unknown,
  flags: string,
  precision: number | undefined,
): string | undefined {
  const number = numberOf(value);
  const sign = flags.includes("+") && number >= 0 ? "+" : "";
  if (verb === "d")
    return Number.isInteger(number) || typeof value === "bigint" ? sign + inner(value) : undefined;
  if (Number.isNaN(number)) return undefined;
  if (verb === "c") return Number.isInteger(number) ? String.fromCodePoint(number) : undefined;
  if (verb === "f") return sign + number.toFixed(precision ?? 6);
  if (verb !== "g") return undefined;
  return sign + String(precision === undefined ? number : Number(number.toPrecision(precision || 1)));
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number.NaN;
}

function bad(verb: string, value: unknown): string {
  return `%!${verb}(${goType(value)}=${inner(value)})`;
}

function goType(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : "interface {}";
}
