import { types } from "node:util";

/** What an option may be. */
export interface Kind {
  /** In a sentence: "must be …". */
  readonly is: string;
  /** Whether a value is of the kind, and if it is not, where in it the fault lies. */
  fault(value: unknown): Fault | undefined;
}

/** Where in an option a value is not what it must be. */
export interface Fault {
  /** Behind the option's name, e.g. `[1].dest`. */
  path: string;
  problem: string;
  /** The value is of the form that the kind has, so that this is what is wrong with it. */
  isMeant?: true;
}

/** The kinds of all options that something takes, by name. */
export type Kinds = Readonly<Record<string, Kind>>;

/** A kind by a test of the value. */
export function kind(is: string, test: (value: unknown) => boolean): Kind {
  return {
    is,
    fault: (value) =>
      test(value) ? undefined : { path: "", problem: `must be ${is}, not ${nameOf(value)}` },
  };
}

/** `example` as it is written in a program. */
export function text(example?: string): Kind {
  const is = example === undefined ? "a text" : `a text, such as ${example}`;
  return kind(is, (value) => typeof value === "string");
}

/** `true` or `false`. */
export const flag = kind("true or false", (value) => typeof value === "boolean");

/** A whole number from 0 on; `unit` is what it counts. */
export function amount(unit: string): Kind {
  return kind(`a number of ${unit}`, (value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/** A number of milliseconds, which may be broken. */
export const milliseconds = kind(
  "a number of milliseconds",
  (value) => typeof value === "number" && value >= 0,
);

/** A function. */
export const callback = kind("a function", (value) => typeof value === "function");

/** An AbortSignal, of any realm or library. */
export const signal = kind("an AbortSignal", isSignalLike);

/** An object, which is looked at by what takes it. */
export const object = kind("an object", isObject);

/** One of several texts. */
export function oneOf(...texts: readonly string[]): Kind {
  const listed = texts.map((word) => JSON.stringify(word)).join(" or ");
  return kind(listed, (value) => typeof value === "string" && texts.includes(value));
}

/** The first of the kinds that fits; of a value that fits none the first fault that lies within it is told. */
export function either(is: string, ...kinds: readonly Kind[]): Kind {
  return {
    is,
    fault(value) {
      const faults = kinds.map((one) => one.fault(value));
      if (faults.includes(undefined)) return undefined;
      return (
        faults.find((fault) => fault?.isMeant || fault?.path) ?? {
          path: "",
          problem: `must be ${is}, not ${nameOf(value)}`,
        }
      );
    },
  };
}

/** A list; `example` is what one entry looks like in a program. */
export function listOf(entry: Kind, example: string): Kind {
  const is = `a list, such as [${example}]`;
  return {
    is,
    fault(value) {
      if (!Array.isArray(value)) return { path: "", problem: `must be ${is}, not ${nameOf(value)}` };
      for (const [index, one] of value.entries()) {
        const fault = entry.fault(one);
        if (fault) return { path: `[${index}]${fault.path}`, problem: fault.problem };
      }
      return undefined;
    },
  };
}

/** An object of values by name; undefined stands for one that is not given. */
export function mapOf(value: Kind, example: string): Kind {
  const is = `an object, such as ${example}`;
  return {
    is,
    fault(given) {
      if (!isObject(given) || isIterable(given))
        return { path: "", problem: `must be ${is}, not ${nameOf(given)}` };
      for (const [name, one] of Object.entries(given)) {
        const fault = one === undefined ? undefined : value.fault(one);
        if (fault) return { path: `${member(name)}${fault.path}`, problem: fault.problem };
      }
      return undefined;
    },
  };
}

/** An object with known fields. `elsewhere` says where others belong. */
export function shape(is: string, fields: Kinds, required: readonly string[] = [], elsewhere = ""): Kind {
  return {
    is,
    fault(given) {
      if (!isObject(given) || isIterable(given))
        return { path: "", problem: `must be ${is}, not ${nameOf(given)}` };
      for (const [name, one] of Object.entries(given)) {
        if (one === undefined) continue;
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (!field) return { path: member(name), problem: `is not known${elsewhere && `; ${elsewhere}`}` };
        const fault = field.fault(one);
        if (fault) return { path: `${member(name)}${fault.path}`, problem: fault.problem };
      }
      const missing = required.find((name) => (given as Record<string, unknown>)[name] === undefined);
      return missing === undefined ? undefined : { path: member(missing), problem: "is missing" };
    },
  };
}

/** Variables of an environment. */
export const environment = mapOf(text(), "process.env");

/** What a value is, in words. The value itself is not told: it may be a secret. */
export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "boolean" || value === undefined) return String(value);
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  if (typeof value === "number") return Number.isFinite(value) ? `the number ${value}` : String(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object") return `a ${typeof value}`;
  const name: unknown = value.constructor?.name;
  if (types.isPromise(value)) return "a promise, which is to be awaited first";
  return typeof name === "string" && name !== "" && name !== "Object"
    ? `an object of class ${name}`
    : "an object";
}

function member(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

function isSignalLike(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { aborted, addEventListener, removeEventListener } = value as Record<string, unknown>;
  return (
    typeof aborted === "boolean" &&
    typeof addEventListener === "function" &&
    typeof removeEventListener === "function"
  );
}
