import type { BakeCase } from "./bake-cases.js";
import { typedExpression } from "./bake-generator.js";

/** A random definition with what is asked of it. */
export type RandomModule = Required<Omit<BakeCase, "name" | "refused">>;

type Chance = (below: number) => number;

const words = ["a", "b", "app", "x-1", "long_name", "é", "A.b", ""];
const paths = [".", "dir", "./dir/", "../up", "https://example.com/a.git#main", "/abs", "cwd://x", "docker-image://busybox"]; // prettier-ignore
const platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "windows/amd64", "local"];
const outputs = ["type=docker", "type=image,push=true", "type=local,dest=out", "type=tar,dest=-", "type=oci,dest=o.tar,compression=zstd", "out", "type=cacheonly", "type=registry"]; // prettier-ignore
const caches = ["type=registry,ref=r.example/c", "user/app:cache", "type=local,src=c", "type=inline", "type=gha,scope=s", "type=local,dest=c,mode=max"]; // prettier-ignore
const secrets = ["id=a,src=f", "id=b,env=B", "type=file,id=c,source=s", "id=a"];
const hosts = ["10.0.0.1", "host-gateway", "::1"];

/** Writes one definition in native syntax, mostly of what can be built; what contradicts itself is to be refused by both. */
class ModuleWriter {
  readonly #pick: Chance;
  readonly variables: string[];
  readonly functions: string[];
  readonly targets: string[];
  readonly groups: string[];

  constructor(pick: Chance) {
    this.#pick = pick;
    const names = (prefix: string, most: number) =>
      Array.from({ length: pick(most + 1) }, (_, at) => `${prefix}${at}`);
    this.variables = names("V", 3);
    this.functions = names("f", 2);
    this.targets = ["t0", ...names("u", 4)];
    this.groups = names("g", 2);
  }

  of<T>(list: readonly T[]): T {
    return list[this.#pick(list.length)] as T;
  }

  sometimes(one: number): boolean {
    return this.#pick(one) === 0;
  }

  text(): string {
    const name = () => JSON.stringify(this.of(words));
    switch (this.#pick(6)) {
      case 0:
        return this.variables.length > 0 ? `"\${${this.of(this.variables)}}-x"` : name();
      case 1:
        return this.functions.length > 0 ? `${this.of(this.functions)}(${name()})` : name();
      case 2:
        return typedExpression(this.#pick, 2, "text");
      default:
        return name();
    }
  }

  list(item: () => string, most = 3): string {
    return `[${Array.from({ length: this.#pick(most + 1) }, item).join(", ")}]`;
  }

  map(value: () => string): string {
    const keys = Array.from({ length: this.#pick(4) }, () => this.of(["A", "B", "C", "org.key"]));
    return `{${keys.map((key) => `${JSON.stringify(key)} = ${value()}`).join(", ")}}`;
  }

  quoted(list: readonly string[]): () => string {
    return () => JSON.stringify(this.of(list));
  }

  /** What another target has. */
  reference(): string {
    const target = this.of(this.targets);
    const field = this.of(["args.A", "tags[0]", "context", "labels", "target", "platforms[0]", "description", "name"]); // prettier-ignore
    return `target.${target}.${field}`;
  }

  attributes(): string[] {
    const forms: [number, string, () => string][] = [
      [2, "inherits", () => this.list(this.quoted([...this.targets, ...(this.sometimes(40) ? ["none"] : [])]), 2)],
      [2, "args", () => this.map(() => (this.sometimes(8) ? "null" : this.sometimes(6) ? this.reference() : this.text()))],
      [2, "tags", () => this.list(() => `"r.example/${this.of(["a", "b"])}:\${${this.text()}}"`)],
      [4, "labels", () => this.map(() => (this.sometimes(8) ? this.reference() : this.text()))],
      [4, "platforms", () => this.list(this.quoted(platforms))],
      [4, "context", () => JSON.stringify(this.of(paths))],
      [5, "contexts", () => `{x = "${this.sometimes(2) ? `target:${this.of(this.targets)}` : "docker-image://busybox"}"}`],
      [5, "dockerfile", () => JSON.stringify(this.of(["Dockerfile", "d/Dockerfile.x", "../D", "https://example.com/D"]))],
      [9, "dockerfile-inline", () => '<<EOT\nFROM scratch\nCOPY . /\nEOT'],
      [5, "target", () => this.text()],
      [5, "output", () => this.list(this.quoted(outputs), 2)],
      [6, "cache-from", () => this.list(this.quoted(caches), 2)],
      [6, "cache-to", () => this.list(this.quoted(caches), 2)],
      [6, "secret", () => this.list(this.quoted(secrets), 2)],
      [7, "no-cache", () => this.of(["true", "false", '"true"', "null"])],
      [7, "pull", () => this.of(["true", "false"])],
      [7, "network", () => this.of(['"host"', '"none"', '"default"', '""'])],
      [8, "shm-size", () => this.of(['"128m"', '"1g"', "1048576"])],
      [8, "ulimits", () => this.list(this.quoted(["nofile=1024:2048", "nproc=5"]), 2)],
      [8, "entitlements", () => this.list(this.quoted(["network.host", "security.insecure"]), 2)],
      [8, "extra-hosts", () => `{h = ${this.quoted(hosts)()}}`],
      [6, "description", () => this.text()],
      [6, "attest", () => this.list(this.quoted(["type=provenance,mode=max", "type=sbom", "type=provenance,disabled=true"]), 2)],
      [8, "annotations", () => this.list(this.quoted(["k=v", "index:k=v", "manifest[linux/amd64]:k=v"]), 2)],
      [9, "no-cache-filter", () => this.list(this.quoted(["base", "other"]), 2)],
      [12, "call", () => this.of(['"check"', '"outline"', '"build"'])],
    ]; // prettier-ignore
    return forms.flatMap(([one, name, value]) => (this.sometimes(one) ? [`  ${name} = ${value()}`] : []));
  }

  target(name: string): string {
    const attributes = this.attributes();
    if (this.sometimes(8)) {
      attributes.push(
        `  matrix = { i = ${this.of(['["p", "q"]', "[1, 2]", '["p"]'])}, j = ${this.of(['["x"]', '["x", "y"]'])} }`,
        `  name = "${name}-\${i}-\${j}"`,
        `  target = "\${i}\${j}"`,
      );
      const seen = new Set<string>();
      return `target "${name}" {\n${attributes
        .reverse()
        .filter((line) => !seen.has(nameOf(line)) && seen.add(nameOf(line)))
        .reverse()
        .join("\n")}\n}`;
    }
    return `target "${name}" {\n${attributes.join("\n")}\n}`;
  }

  variable(name: string): string {
    const lines: string[] = [];
    const type = this.of(["", "", "string", "number", "bool", "list(string)"]);
    if (type !== "") lines.push(`  type = ${type}`);
    const values = { string: '"v"', number: "5", bool: "true", "list(string)": '["l"]', "": this.text() };
    if (!this.sometimes(5)) lines.push(`  default = ${values[type as keyof typeof values]}`);
    if (this.sometimes(8))
      lines.push(`  validation {\n    condition = ${name} != "bad"\n    error_message = "is bad"\n  }`);
    return `variable "${name}" {\n${lines.join("\n")}\n}`;
  }

  function(name: string): string {
    const result = this.of(['"${p}!"', "upper(p)", 'p == "" ? "none" : p', ...(this.sometimes(12) ? ["missing", "missing(p)"] : []), ...this.variables.map((one) => `"\${p}\${${one}}"`)]); // prettier-ignore
    return `function "${name}" {\n  params = [p]\n  result = ${result}\n}`;
  }

  group(name: string): string {
    const members = [...this.targets, ...this.groups];
    return `group "${name}" {\n  targets = ${this.list(this.quoted(members))}\n}`;
  }

  set(): string {
    const target = this.of([...this.targets, "*", "u*"]);
    return `${target}.${this.of(["args.A=set", "args.Z=", "tags=s:1", "tags+=s:2", "platform=linux/arm64", "output=type=docker", "no-cache=true", "target=final", "labels.l=1", "secret=id=s,src=q", "context=other", "dockerfile=D2", "attest=type=sbom", "contexts.y=dir", "ulimits+=nofile=5", "entitlement=network.host", "pull=nonsense"])}`; // prettier-ignore
  }
}

function nameOf(line: string): string {
  return line.trim().split(" ", 1)[0] ?? "";
}

/** A definition, its targets, overrides and variables; the same chance gives the same. */
export function randomModule(pick: Chance): RandomModule {
  const writer = new ModuleWriter(pick);
  const { variables, functions, targets, groups } = writer;
  const blocks = [
    ...variables.map((name) => writer.variable(name)),
    ...functions.map((name) => writer.function(name)),
    ...targets.map((name) => writer.target(name)),
    ...groups.map((name) => writer.group(name)),
  ];
  const asked = writer.sometimes(3) ? ["t0"] : writer.sometimes(2) ? targets : [writer.of([...targets, ...groups, ...(targets.length > 1 ? ["u*"] : [])])]; // prettier-ignore
  return {
    // And the files of secrets, which buildx looks for.
    sources: { "docker-bake.hcl": `${blocks.join("\n")}\n`, a: "", f: "", s: "", q: "" },
    files: ["docker-bake.hcl"],
    targets: [...asked],
    set: Array.from({ length: writer.sometimes(2) ? pick(3) : 0 }, () => writer.set()),
    vars: variables.length > 0 && writer.sometimes(9) ? { V0: writer.of(["var", "7", "true"]) } : {},
    env: variables.length > 1 && writer.sometimes(9) ? { V1: writer.of(["env", "8", "bad"]) } : {},
  };
}
