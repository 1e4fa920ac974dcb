import { messageOf } from "../../core/index.js";
import { goString } from "./go-print.js";
import { TemplateError } from "./template-error.js";
import { type TemplateFunction, isTrue, templateFunctions } from "./template-functions.js";
import {
  type BlockNode,
  type Operand,
  type Pipeline,
  type Place,
  type TemplateNode,
  parseTemplate,
} from "./template-parser.js";

/** Functions that get their operands one by one, so that they can leave some out. */
const shortCircuit = new Set(["and", "or"]);

/**
 * A Go template. Objects are like structs: a field they lack is an error. Maps are like maps: a key they lack is no
 * value. A field that is a function is a method: it is called.
 */
export class Template {
  readonly #nodes: TemplateNode[];

  private constructor(nodes: TemplateNode[]) {
    this.#nodes = nodes;
  }

  /** @throws TemplateError */
  static parse(text: string): Template {
    return new Template(
      parseTemplate(text, (name) => Object.hasOwn(templateFunctions, name) || shortCircuit.has(name)),
    );
  }

  /** The text for one value. @throws TemplateError */
  execute(data: unknown, functions: Readonly<Record<string, TemplateFunction>> = templateFunctions): string {
    const run = new Execution(functions);
    run.list(this.#nodes, data, [["$", data]]);
    return run.text;
  }
}

/** Visible variables, the innermost last. A block adds to a copy of the list; the pairs are shared, so that it can assign. */
type Variables = [name: string, value: unknown][];

class Execution {
  text = "";
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  #at: Place = { line: 1, source: "" };

  constructor(functions: Readonly<Record<string, TemplateFunction>>) {
    this.#functions = functions;
  }

  /** Prints nodes; returns what ended them early. */
  list(nodes: readonly TemplateNode[], dot: unknown, outer: Variables): "break" | "continue" | undefined {
    const variables = [...outer];
    for (const node of nodes) {
      const jump = this.#node(node, dot, variables);
      if (jump) return jump;
    }
    return undefined;
  }

  #node(node: TemplateNode, dot: unknown, variables: Variables): "break" | "continue" | undefined {
    switch (node.kind) {
      case "text":
        this.text += node.text;
        return undefined;
      case "break":
      case "continue":
        return node.kind;
      case "print": {
        this.#at = node.at;
        const value = this.#pipeline(node.pipe, dot, variables);
        if (node.pipe.variables.length === 0) this.text += goString(value);
        return undefined;
      }
      case "if":
      case "with": {
        this.#at = node.at;
        const inside: Variables = [...variables];
        const value = this.#pipeline(node.pipe, dot, inside);
        const chosen = isTrue(value) ? node.body : node.otherwise;
        return this.list(chosen, node.kind === "with" && isTrue(value) ? value : dot, inside);
      }
      default:
        this.#range(node, dot, variables);
        return undefined;
    }
  }

  #range(node: BlockNode, dot: unknown, variables: Variables): void {
    this.#at = node.at;
    const pipe = { ...node.pipe, variables: [] };
    const entries = this.#entries(this.#pipeline(pipe, dot, variables));
    if (entries.length === 0) {
      this.list(node.otherwise, dot, variables);
      return;
    }
    const [first, second] = node.pipe.variables;
    for (const [key, value] of entries) {
      const inside: Variables = [...variables];
      if (second !== undefined) inside.push([first ?? "", key], [second, value]);
      else if (first !== undefined) inside.push([first, value]);
      const jump = this.list(node.body, value, inside);
      if (jump === "break") return;
    }
  }

  #entries(value: unknown): [unknown, unknown][] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
    if (value instanceof Map)
      return [...(value as Map<unknown, unknown>)].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    if (typeof value === "number") return Array.from({ length: value }, (_, index) => [index, index]);
    throw this.#error(`range can't iterate over ${goString(value)}`);
  }

  #pipeline(pipe: Pipeline, dot: unknown, variables: Variables): unknown {
    let value: unknown;
    for (const [index, command] of pipe.commands.entries())
      value = this.#command(command, dot, variables, index > 0 ? [value] : []);
    const [name] = pipe.variables;
    if (name !== undefined) {
      if (pipe.declares) variables.push([name, value]);
      else this.#find(variables, name)[1] = value;
    }
    return value;
  }

  #command(command: readonly Operand[], dot: unknown, variables: Variables, piped: unknown[]): unknown {
    const [first, ...rest] = command;
    if (!first) return undefined;
    const base = first.base;
    if (base.kind === "function") {
      const value = shortCircuit.has(base.name)
        ? this.#andOr(base.name, rest, dot, variables, piped)
        : this.#call(base.name, [...rest.map((operand) => this.#operand(operand, dot, variables)), ...piped]);
      return this.#fields(value, first.fields, []);
    }
    const values = [...rest.map((operand) => this.#operand(operand, dot, variables)), ...piped];
    if (first.fields.length > 0) return this.#fields(this.#base(first, dot, variables), first.fields, values);
    if (values.length > 0) throw this.#error("can't give argument to non-function");
    return this.#base(first, dot, variables);
  }

  #andOr(
    name: string,
    operands: readonly Operand[],
    dot: unknown,
    variables: Variables,
    piped: unknown[],
  ): unknown {
    let value: unknown;
    for (const operand of operands) {
      value = this.#operand(operand, dot, variables);
      if (isTrue(value) === (name === "or")) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: unknown, variables: Variables): unknown {
    const value =
      operand.base.kind === "function"
        ? this.#call(operand.base.name, [])
        : this.#base(operand, dot, variables);
    return this.#fields(value, operand.fields, []);
  }

  #base({ base }: Operand, dot: unknown, variables: Variables): unknown {
    switch (base.kind) {
      case "dot":
        return dot;
      case "variable":
        return this.#find(variables, base.name)[1];
      case "literal":
        return base.value;
      case "pipe":
        return this.#pipeline(base.pipe, dot, variables);
      default:
        return this.#call(base.name, []);
    }
  }

  /** Follows fields; the last one, when it is a method, gets the arguments. */
  #fields(start: unknown, names: readonly string[], values: readonly unknown[]): unknown {
    let value = start;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      value = this.#field(value, name, isLast ? values : []);
    }
    return value;
  }

  #field(value: unknown, name: string, values: readonly unknown[]): unknown {
    if (value === undefined || value === null)
      throw this.#error(`nil data; no entry for key ${JSON.stringify(name)}`);
    if (value instanceof Map) return (value as Map<unknown, unknown>).get(name);
    const holder = value as Record<string, unknown>;
    const isThere =
      typeof value === "object" &&
      (Object.hasOwn(value, name) || (name in value && !(name in Object.prototype)));
    if (!isThere) throw this.#error(`can't evaluate field ${name}`);
    const member = holder[name];
    if (typeof member === "function") return (member as TemplateFunction).apply(value, [...values]);
    if (values.length > 0) throw this.#error(`${name} has arguments but cannot be invoked as function`);
    return member;
  }

  #call(name: string, values: unknown[]): unknown {
    try {
      return this.#functions[name]?.(...values);
    } catch (error) {
      throw this.#error(`error calling ${name}: ${messageOf(error)}`);
    }
  }

  #find(variables: Variables, name: string): Variables[number] {
    const found = variables.findLast(([known]) => known === name);
    if (!found) throw this.#error(`undefined variable ${JSON.stringify(name)}`);
    return found;
  }

  #error(problem: string): TemplateError {
    return new TemplateError(`${this.#at.line}`, `executing "" at <${this.#at.source}>: ${problem}`);
  }
}
