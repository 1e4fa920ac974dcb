import {
  type Attribute,
  type Block,
  type Body,
  CtyError,
  type Diagnostic,
  type Expression,
  HclError,
  type Range,
  type Scope,
  type Value,
  objectValue,
  referencesOf,
  report,
  standardFunctions,
  textValue,
} from "../hcl/index.js";
import { directoryOf, rebaseContexts } from "./context-base.js";
import { defineFunction } from "./functions.js";
import { instancesOf, instanceName } from "./matrix.js";
import { type TargetFields } from "./target.js";
import { readField, targetFieldNames, targetValue } from "./target-values.js";
import { type BakeVariable, Variables } from "./variables.js";
import { readGroup, groupValue, type GroupFields } from "./group.js";

/** What a definition is read with. */
export interface ModuleOptions {
  /** Variables that are there from the start, and cannot be set. */
  readonly builtins: ReadonlyMap<string, string>;
  /** A variable's value from outside. */
  readonly lookup: (name: string) => string | undefined;
  /** Contexts stand against their file's directory. */
  readonly againstFile?: boolean;
}

/** Targets, groups and variables that definitions come to. */
export interface Module {
  readonly targets: TargetFields[];
  readonly groups: GroupFields[];
  readonly variables: BakeVariable[];
}

interface Instance {
  readonly block: Block;
  readonly scope: Scope;
  name: string;
  readonly target: TargetFields;
  readonly done: Set<string>;
  readonly active: Set<string>;
  /** As expressions see it, made when so many fields were evaluated. */
  shown?: { name: string; fields: number; value: Value };
}

const schema = {
  blocks: ["variable", "function", "group", "target"].map((type) => ({ type, labels: ["name"] })),
};
/** What types are written with; buildx takes no types in the body of a function. */
const typeWords = new Set(["string", "number", "bool", "any", "list", "set", "map", "object", "tuple", "optional"]); // prettier-ignore
const targetName = /^[a-zA-Z0-9_-]+$/;

/** Evaluates definitions in native syntax and JSON, merged in their order. Throws an HclError for what is wrong. */
export function readModule(bodies: readonly Body[], options: ModuleOptions): Module {
  return new Evaluation(bodies, options).run();
}

function fileDirectory(block: Block): string {
  return directoryOf((block.labelRanges[0] as Range).filename) ?? ".";
}

class Evaluation {
  readonly #scope: Scope;
  readonly #variables: Variables;
  readonly #constants = new Map<string, Attribute>();
  readonly #functions = new Map<string, Block>();
  readonly #blocks: Block[] = [];
  readonly #instances = new Map<Block, Instance[]>();
  readonly #byName = { target: new Map<string, Instance[]>(), group: new Map<string, Instance[]>() };
  /** Blocks that expressions refer to, as they see them. */
  readonly #shown = { target: new Map<string, Value>(), group: new Map<string, Value>() };
  readonly #active = new Set<string>();
  readonly #againstFile: boolean;

  constructor(bodies: readonly Body[], options: ModuleOptions) {
    this.#scope = {
      variables: new Map([...options.builtins].map(([name, value]) => [name, textValue(value)])),
      functions: standardFunctions(),
    };
    this.#againstFile = options.againstFile ?? false;
    const reserved = new Set(["target", "group", ...options.builtins.keys()]);
    const diagnostics: Diagnostic[] = [];
    const variables = new Map<string, Block>();
    for (const body of bodies) {
      const { blocks, rest } = body.find(schema, diagnostics);
      for (const block of blocks) {
        const name = block.labels[0] as string;
        if (block.type === "target" || block.type === "group") this.#blocks.push(block);
        else if (!reserved.has(name))
          (block.type === "variable" ? variables : this.#functions).set(name, block);
      }
      // Other blocks pass: only attributes are looked for.
      for (const [name, attribute] of rest.attributes([])) {
        if (!reserved.has(name)) this.#constants.set(name, attribute);
      }
    }
    refuse(diagnostics);
    this.#variables = new Variables(variables, options.lookup, options.builtins);
  }

  run(): Module {
    const variables = [...this.#variables.names].map((name) => {
      this.#placed("Invalid value", this.#variables.rangeOf(name), () => this.#variable(name));
      return this.#variables.describe(name, this.#scope.variables.get(name));
    });
    refuse(this.#variables.validate(this.#scope));
    for (const [name, block] of this.#functions) {
      this.#placed("Invalid function", block.labelRanges[0] as Range, () => this.#function(name));
    }
    const renamed = this.#nameBlocks();
    const module = this.#resolveAll(variables);
    if (this.#againstFile) this.#rebase();
    for (const [name, { range }] of this.#constants)
      this.#placed("Invalid attribute", range, () => this.#variable(name));
    for (const [name, names] of renamed) {
      const once = [...new Set(names)];
      if (once.length !== 1 || once[0] !== name) module.groups.push({ name, targets: once });
    }
    return module;
  }

  #nameBlocks(): Map<string, string[]> {
    const renamed = new Map<string, string[]>();
    for (const block of this.#blocks) {
      const label = block.labels[0] as string;
      this.#placed("Invalid name", block.labelRanges[0] as Range, () => {
        const instances = this.#instancesOf(block);
        const names = new Set<string>();
        for (const instance of instances) {
          if (!targetName.test(label)) fail('only "[a-zA-Z0-9_-]+" are allowed');
          instance.name = instanceName(block, instance.scope, (expression) =>
            this.#load(expression, instance.scope),
          );
          if (!targetName.test(instance.name)) fail('only "[a-zA-Z0-9_-]+" are allowed');
          if (names.has(instance.name)) fail(`duplicate name "${instance.name}"`);
          names.add(instance.name);
          instance.target.name = instance.name;
          const known = this.#byName[block.type as "target" | "group"];
          known.set(instance.name, [...(known.get(instance.name) ?? []), instance]);
        }
        if (block.type === "target" && names.size > 0)
          renamed.set(label, [...(renamed.get(label) ?? []), ...names]);
      });
    }
    return renamed;
  }

  #resolveAll(variables: BakeVariable[]): Module {
    const targets: TargetFields[] = [];
    const groups: GroupFields[] = [];
    const diagnostics: Diagnostic[] = [];
    for (const block of this.#blocks) {
      const before = diagnostics.length;
      this.#placed("Invalid block", block.labelRanges[0] as Range, () => {
        for (const instance of this.#instancesOf(block)) {
            this.#resolve(instance, undefined, diagnostics);
            if (diagnostics.length > before) return;
          }
      }, diagnostics); // prettier-ignore
      if (diagnostics.length > before) continue;
      for (const { target, name } of this.#instancesOf(block)) {
        if (block.type === "target") targets.push(target);
        else {
          const group = groups.findIndex((other) => other.name === name);
          if (group >= 0) groups[group] = target;
          else groups.push(target);
        }
      }
    }
    refuse(diagnostics);
    return { targets, groups, variables };
  }

  /** Once all is evaluated: what refers to another target's context gets that as it stands in its file. */
  #rebase(): void {
    const rebasing = this.#blocks
      .filter(({ type }) => type === "target")
      .flatMap((block) => this.#instancesOf(block))
      .map(({ block, target }) => {
        const directory = fileDirectory(block);
        const own = this.#contextSource(block, target.context) ?? block;
        return () => rebaseContexts(target, directory, fileDirectory(own));
      });
    for (const rebase of rebasing) rebase();
  }

  /** The block of the target whose context a block takes over as it is; undefined when it has one of its own. */
  #contextSource(block: Block, context: string | undefined): Block | undefined {
    const attribute = block.body.find({ attributes: [{ name: "context" }] }, []).attributes.get("context");
    if (!attribute) return undefined;
    const { variables, calls } = referencesOf(attribute.expression);
    const [root, name, field, ...more] = variables[0] ?? [];
    const isWhole = variables.length === 1 && calls.length === 0 && more.length === 0;
    if (!isWhole || root?.name !== "target" || field?.kind !== "attribute" || field.name !== "context")
      return undefined;
    const others = name?.kind === "attribute" ? (this.#byName.target.get(name.name) ?? []) : [];
    return others.findLast(({ target }) => target.context === context)?.block;
  }

  #instancesOf(block: Block): Instance[] {
    const known = this.#instances.get(block);
    if (known) return known;
    const label = block.labels[0] as string;
    const scopes = instancesOf(block, this.#scope, (expression) => this.#load(expression, this.#scope));
    const instances = scopes.map((scope): Instance => ({
      block, scope, name: label, target: { name: label }, done: new Set(), active: new Set(),
    })); // prettier-ignore
    this.#instances.set(block, instances);
    return instances;
  }

  /** Evaluates a block's attributes: all, or the one that is referred to. */
  #resolve(instance: Instance, only: string | undefined, diagnostics: Diagnostic[]): void {
    const { block, scope, done, active, target } = instance;
    const names = block.type === "target" ? targetFieldNames : ["description", "targets"];
    if (only !== undefined) {
      if (done.has(only)) return;
      if (active.has(only)) fail(`reference cycle not allowed for ${block.type}.${instance.name}.${only}`);
      active.add(only);
    } else {
      if (active.has("*")) fail(`reference cycle not allowed for ${block.type}.${instance.name}`);
      active.add("*");
    }
    const wanted = names
      .filter((name) => (only === undefined ? !done.has(name) : name === only))
      .map((name) => ({ name, required: name === "targets" }));
    const before = diagnostics.length;
    const { attributes } = block.body.find({ attributes: wanted }, diagnostics);
    if (diagnostics.length > before) return;
    for (const { expression } of attributes.values()) this.#load(expression, scope);
    for (const [name, { expression }] of attributes) {
      if (block.type === "target") readField(target, name, expression, scope, diagnostics);
      else readGroup(target, name, expression, scope, diagnostics);
    }
    active.delete("*");
    if (diagnostics.length > before) return;
    for (const name of attributes.keys()) done.add(name);
    if (only !== undefined) done.add(only);
  }

  /** Makes a block that is referred to known to expressions, as far as it is evaluated. */
  #show(type: "target" | "group", instance: Instance): void {
    const shown = this.#shown[type];
    const { name, target, done } = instance;
    if (instance.shown?.fields !== done.size || instance.shown.name !== target.name) {
      const value = type === "target" ? targetValue(target) : groupValue(target);
      instance.shown = { name: target.name, fields: done.size, value };
    }
    const { value } = instance.shown;
    if (shown.get(name) === value) return;
    shown.set(name, value);
    this.#scope.variables.set(type, objectValue(shown));
  }

  /**
   * Evaluates what an expression refers to. What is not declared is left to the expression itself, but in the body of a function, whose
   * parameters are `params`: nobody need call that.
   */
  #load(expression: Expression, scope: Scope, params?: ReadonlySet<string>): void {
    const { variables, calls } = referencesOf(expression);
    const placed = (run: () => void) => this.#placed("Invalid expression", expression.range, run);
    for (const name of calls)
      placed(() => {
        this.#function(name);
        if (params && !scope.functions?.has(name) && !typeWords.has(name))
          fail(`function ${JSON.stringify(name)} does not exist: undefined`);
      });
    for (const [root, ...steps] of variables) {
      if (params?.has(root.name)) continue;
      if (root.name !== "target" && root.name !== "group") {
        placed(() => {
          if (!scope.variables.has(root.name)) this.#variable(root.name);
          if (params && !scope.variables.has(root.name) && !typeWords.has(root.name))
            fail(`variable ${JSON.stringify(root.name)} does not exist: undefined`);
        });
        continue;
      }
      const [name, attribute] = steps;
      if (!name) placed(() => fail(`cannot access ${root.name} as a variable`));
      else if (name.kind !== "attribute")
        placed(() => fail(`cannot traverse ${root.name} without attribute`));
      else {
        const only = attribute?.kind === "attribute" ? attribute.name : undefined;
        for (const instance of this.#byName[root.name].get(name.name) ?? []) {
          const diagnostics: Diagnostic[] = [];
          placed(() => this.#resolve(instance, only, diagnostics));
          refuse(diagnostics);
          this.#show(root.name, instance);
        }
      }
    }
  }

  #variable(name: string): void {
    if (this.#scope.variables.has(name)) return;
    const constant = this.#constants.get(name);
    if (!constant && !this.#variables.has(name)) return;
    this.#once(`variable cycle not allowed for ${name}`, () => {
      const value = constant
        ? this.#variables.constant(constant, this.#scope, (expression) => this.#load(expression, this.#scope))
        : this.#variables.evaluate(name, this.#scope, (expression) => this.#load(expression, this.#scope));
      this.#scope.variables.set(name, value);
    });
  }

  #function(name: string): void {
    const block = this.#functions.get(name);
    if (!block || this.#scope.functions?.has(name)) return;
    this.#once(`function cycle not allowed for ${name}`, () => {
      const defined = defineFunction(name, block, this.#scope, (expression, locals) =>
        this.#load(expression, this.#scope, locals),
      );
      this.#scope.functions?.set(name, defined);
    });
  }

  #once(cycle: string, run: () => void): void {
    if (this.#active.has(cycle)) fail(cycle);
    this.#active.add(cycle);
    run();
    this.#active.delete(cycle);
  }

  /** Gives errors that have no place one; those of the language have theirs. */
  #placed(summary: string, range: Range, run: () => void, into?: Diagnostic[]): void {
    try {
      run();
    } catch (error) {
      if (error instanceof HclError) {
        if (!into) throw error;
        into.push(...error.diagnostics);
        return;
      }
      if (!(error instanceof CtyError)) throw error;
      const diagnostics: Diagnostic[] = into ?? [];
      report(diagnostics, range, summary, error.message);
      if (!into) throw new HclError(diagnostics);
    }
  }
}

function fail(message: string): never {
  throw new CtyError(message);
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new HclError(diagnostics);
}
