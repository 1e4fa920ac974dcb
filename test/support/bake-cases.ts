/** One definition that two programs are to understand in the same way. */
export interface BakeCase {
  name: string;
  /** By name; the first are given with `-f`, unless `files` names others. */
  sources: Readonly<Record<string, string>>;
  /** Names to give with `-f`; all sources when not given. */
  files?: readonly string[];
  targets?: readonly string[];
  set?: readonly string[];
  vars?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** Both refuse it; the texts are compared too, unless slipway means to say it in other words. */
  refused?: "same words" | "own words";
}

const hcl = (name: string, content: string, more: Partial<BakeCase> = {}): BakeCase => ({
  name,
  sources: { "docker-bake.hcl": content },
  ...more,
});
const compose = (name: string, content: string, more: Partial<BakeCase> = {}): BakeCase => ({
  name,
  sources: { "compose.yaml": content },
  ...more,
});
/** A target whose arguments are these expressions. */
const args = (name: string, ...expressions: string[]): BakeCase =>
  hcl(
    name,
    `target "default" {\n  args = {\n${expressions.map((text, at) => `    a${at} = try(jsonencode(${text}), "ERR")`).join("\n")}\n  }\n}\n`,
  );
/** Attributes of one target. */
const target = (name: string, body: string, more: Partial<BakeCase> = {}): BakeCase =>
  hcl(name, `target "default" {\n${body}\n}\n`, more);

const base = `
variable "TAG" { default = "1" }
target "base" {
  args = { A = "1", B = "2" }
  labels = { l = "x" }
  tags = ["base:\${TAG}"]
  platforms = ["linux/amd64"]
  cache-from = ["type=registry,ref=ex/cache"]
  output = ["type=image"]
}
target "app" {
  inherits = ["base"]
  args = { B = "3" }
  tags = ["app:\${TAG}", "app:latest"]
}
target "other" {
  inherits = ["base", "app"]
}
`;
const all = { targets: ["app", "other", "base"] };
const set = (...changes: string[]): BakeCase =>
  hcl(`--set ${changes.join(" ")}`, base, { ...all, set: changes });

/** What is compared with buildx, as data. */
export const bakeCases: readonly BakeCase[] = [
  // Expressions
  args("numbers", "1 + 2", "1/3", "0.1+0.2", "10 % 3", "-7 % 3", "1e3", "5 / 2", "1 == 1.0", "2 > 10", '"5" + 1', "-(-3)", "1/0"),
  args("texts", '"a${1}b"', '"${true}"', '"$${x}"', '"%%{x}"', '"\\u00e9\\t"', '"${[1,2]}"', '"${"x"}"', '"a" == "a"', '"5" == 5'),
  args("logic", "true && false", "!true", "null == null", "true || null", "false && null", '1 == 1 ? "y" : "n"', 'true ? 1 : "x"', "1 ? 2 : 3"),
  args("collections", "[1, 2][1]", "{a = 1}.a", '{a = 1}["a"]', "[1, 2][5]", "[[1], [2]][*][0]", "[{a = 1}, {a = 2}].*.a", "[]", "{}", '{"a b" = 1}', "{(upper(\"x\")) = 1}"),
  args("for", "[for x in [1, 2] : x * 2]", "[for i, x in [\"a\"] : i]", "{for k, v in {a = 1} : v => k}", "[for x in [1, 2, 3] : x if x > 1]", "{for x in [\"a\", \"a\"] : x => 1...}", "{for x in [\"a\", \"a\"] : x => 1}"),
  args("templates", '"%{ if true }y%{ else }n%{ endif }"', '"%{ for x in ["a", "b"] }${x},%{ endfor }"', '"%{ if true ~} x %{~ endif }"', '"a ${~ "b" ~} c"'),
  args("text functions", 'upper("aé")', 'title("hello world")', 'split(",", "a,b")', 'join("-", ["a", "b"])', 'replace("aXb", "X", "-")', 'substr("hello", 1, 3)', 'substr("é", 0, 1)', 'trim("xxaxx", "x")', 'indent(2, "a\\nb")', 'strlen("日本")', 'format("%s-%03d", "a", 7)', 'formatlist("%s!", ["a", "b"])', 'reverse("abc")', 'chomp("a\\n")', 'sanitize("a/b:c")', 'basename("/a/b.c")', 'dirname("/a/b.c")'),
  args("pattern functions", 'regex("[a-z]+", "12ab")', 'regex("(\\\\d+)-(\\\\d+)", "1-2")', 'regex("(?P<y>\\\\d+)", "7")', 'regexall("a.", "abac")', 'regex_replace("abc", "(b)", "[$1]")', 'regex("x", "y")', 'regex("(", "y")', 'regexall("", "ab")', 'regex_replace("aaa", "a*", "b")', 'regex("(?i)HELLO", "hello")', 'regex("a|ab", "ab")', 'regex("^b", "ab")'),
  args("number functions", "max(1, 3, 2)", "min([1, 2]...)", "ceil(1.2)", "floor(-1.2)", "int(1.9)", "signum(-3)", "pow(2, 10)", "log(8, 2)", 'parseint("ff", 16)', "absolute(-1)", "range(3)", "range(1, 4)", "range(4, 0, -2)", "add(1, 2)", "modulo(7, 4)"),
  args("list functions", 'concat(["a"], ["b"])', 'contains(["a"], "a")', 'distinct(["a", "b", "a"])', "flatten([[1], [2, [3]]])", 'element(["a", "b"], 3)', 'index(["a"], 0)', "indexof([\"a\", \"b\"], \"b\")", 'lookup({a = "1"}, "b", "d")', "merge({a = 1}, {b = 2})", 'keys({b = 1, a = 2})', 'values({b = 1, a = 2})', "length([1, 2])", 'sort(["b", "a"])', 'compact(["a", ""])', "slice([1, 2, 3], 1, 2)", 'zipmap(["a"], [1])', "chunklist([1, 2, 3], 2)", "coalesce(null, 1)", "reverselist([1, 2])", "hasindex([1], 1)"),
  args("set functions", 'setunion(["a"], ["b"])', 'setintersection(["a", "b"], ["b"])', 'setsubtract(["a", "b"], ["b"])', 'sethaselement(["a"], "a")', 'setproduct(["a"], ["b", "c"])', 'setsymmetricdifference(["a"], ["b"])'),
  args("encodings", 'base64encode("a")', 'base64decode("YQ==")', 'jsondecode("{\\"a\\": [1]}")', "jsonencode({a = [1, null]})", 'md5("a")', 'sha256("a")', 'urlencode("a b&c")', 'csvdecode("a,b\\n1,2")', 'uuidv5("dns", "example.com")'),
  args("types", 'convert("5", number)', 'convert(["a"], set(string))', 'convert({a = 1}, map(string))', 'convert("x", number)', "can(1 + \"x\")", 'try(nope, "d")', "convert([1], tuple([string]))", "convert({}, object({a = optional(string)}))"),
  args("networks", 'cidrhost("10.0.0.0/8", 2)', 'cidrnetmask("10.0.0.0/8")', 'cidrsubnet("10.0.0.0/8", 8, 2)', 'semvercmp("1.2.3", ">= 1.0")', 'cidrsubnets("10.0.0.0/8", 4, 4)'),
  args("times", 'timeadd("2020-01-01T00:00:00Z", "1h")', 'formatdate("YYYY-MM-DD", "2020-01-02T03:04:05Z")', 'formattimestamp("X", "2020-01-02T03:04:05Z")', "unixtimestampparse(0).year"),
  // Variables
  hcl("empty lists that are inherited", 'target "b" {\n  tags = ["x:1"]\n  platforms = ["linux/amd64"]\n  output = ["type=docker"]\n  cache-to = ["type=inline"]\n}\ntarget "c" {\n  tags = []\n  platforms = []\n  output = []\n  cache-to = []\n}\ntarget "default" { inherits = ["b", "c"] }\n'), // prettier-ignore
  hcl("a function that names no variable", 'function "f" {\n  params = [p]\n  result = missing\n}\ntarget "default" {}\n', { refused: "same words" }), // prettier-ignore
  hcl("a function that calls no function", 'function "f" {\n  params = [p]\n  result = missing(p)\n}\ntarget "default" {}\n', { refused: "same words" }), // prettier-ignore
  hcl("defaults and the environment", 'variable "A" { default = "a" }\nvariable "B" {}\nvariable "C" { default = 1 }\ntarget "default" { args = { A = A, B = B, C = C + 1 } }', { env: { A: "env", C: "5" } }),
  hcl("a variable that is no number", 'variable "C" { default = 1 }\ntarget "default" { args = { C = C } }', { env: { C: "x" }, refused: "same words" }),
  hcl("--var before the environment", 'variable "A" { default = "a" }\ntarget "default" { args = { A = A } }', { env: { A: "env" }, vars: { A: "var" } }),
  hcl("types from text", 'variable "L" {\n  type = list(string)\n  default = []\n}\nvariable "M" {\n  type = map(number)\n  default = {}\n}\nvariable "B" {\n  type = bool\n}\ntarget "default" { args = { L = join("-", L), M = M["k"], B = B } }', { env: { L: "a,b", M: "k:3", B: "1" } }),
  hcl("types from JSON", 'variable "O" {\n  type = object({a = list(number)})\n}\ntarget "default" { args = { O = O.a[1] } }', { env: { O_JSON: '{"a": [1, 2]}' } }),
  hcl("a wrong default", 'variable "N" {\n  type = number\n  default = "x"\n}\ntarget "default" { args = { N = N } }', { refused: "same words" }),
  hcl("validation holds", 'variable "N" {\n  default = 5\n  validation {\n    condition = N > 3\n    error_message = "too small"\n  }\n}\ntarget "default" { args = { N = N } }'),
  hcl("validation fails", 'variable "N" {\n  default = 5\n  validation {\n    condition = N > 3\n    error_message = "too small"\n  }\n}\ntarget "default" { args = { N = N } }', { env: { N: "1" }, refused: "same words" }),
  hcl("variables of variables", 'variable "B" { default = "${A}b" }\nvariable "A" { default = "a" }\ntarget "default" { args = { B = B } }'),
  hcl("a circle of variables", 'variable "B" { default = "${A}b" }\nvariable "A" { default = B }\ntarget "default" { args = { B = B } }', { refused: "own words" }),
  hcl("constants", 'x = "v"\ny = [x, "w"]\ntarget "default" { tags = y }'),
  hcl("an unknown variable", 'target "default" { tags = [NOPE] }', { refused: "same words" }),
  // Functions
  hcl("own functions", 'function "f" {\n  params = [a, b]\n  variadic_params = rest\n  result = "${a}${b}${length(rest)}"\n}\nfunction "g" {\n  params = [x]\n  result = f(x, upper(x), 1, 2)\n}\ntarget "default" { tags = [g("q")] }'),
  hcl("too few arguments", 'function "f" {\n  params = [a]\n  result = a\n}\ntarget "default" { tags = [f()] }', { refused: "same words" }),
  hcl("a circle of functions", 'function "f" {\n  params = [a]\n  result = f(a)\n}\ntarget "default" { tags = [f("x")] }', { refused: "own words" }),
  // Targets
  hcl("inheritance", base, all),
  hcl("a pattern", base, { targets: ["*a*"] }),
  hcl("no such target", base, { targets: ["nope"], refused: "same words" }),
  hcl("a group of groups", `${base}group "g" { targets = ["h", "base"] }\ngroup "h" { targets = ["app"] }\ngroup "default" { targets = ["g"] }`),
  hcl("references", 'target "a" { tags = ["x"] args = { A = "1" } }'.replace("] args", "]\n args").replace("a\" { ", 'a" {\n ').replace(" } }", " }\n}") + '\ntarget "b" {\n  tags = concat(target.a.tags, ["y"])\n  args = target.a.args\n  dockerfile = "${target.a.name}.Dockerfile"\n}', { targets: ["b"] }),
  hcl("references in a circle", 'target "a" { tags = target.b.tags }\ntarget "b" { tags = target.a.tags }', { targets: ["a"], refused: "own words" }),
  hcl("blocks of one name", 'target "a" { tags = ["x"] }\ntarget "a" { args = { A = 1 } }', { targets: ["a"] }),
  hcl("links", 'target "a" { contexts = { b = "target:b" } }\ntarget "b" { contexts = { c = "target:c" } }\ntarget "c" {}', { targets: ["a"] }),
  hcl("links in a circle", 'target "a" { contexts = { b = "target:b" } }\ntarget "b" { contexts = { a = "target:a" } }', { targets: ["a"], refused: "same words" }),
  hcl("a link to itself", 'target "a" { contexts = { b = "target:a" } }', { targets: ["a"], refused: "same words" }),
  hcl("platforms that do not go together", 'target "a" {\n  contexts = { b = "target:b" }\n  platforms = ["linux/amd64", "linux/arm64"]\n}\ntarget "b" { platforms = ["linux/amd64", "linux/386"] }', { targets: ["a"], refused: "same words" }),
  hcl("a matrix", 'target "t" {\n  name = "t-${x}"\n  matrix = { x = ["a", "b"] }\n  tags = [x]\n}', { targets: ["t"] }),
  hcl("a matrix of objects", 'target "t" {\n  name = "t-${i.n}"\n  matrix = { i = [{n = "a", v = 1}, {n = "b", v = 2}] }\n  args = { V = i.v }\n}', { targets: ["t"] }),
  hcl("a matrix without name", 'target "t" {\n  matrix = { x = ["a", "b"] }\n}', { targets: ["t"], refused: "same words" }),
  hcl("a name that is none", 'target "a/b" {}', { targets: ["a/b"], refused: "same words" }),
  target("entries of all kinds", '  output = ["type=local,dest=out", "type=image,push=true", { type = "tar", dest = "x.tar" }, "dir", "-"]\n  cache-to = ["type=inline", { type = "local", dest = "c" }]\n  cache-from = ["a", "b,c"]\n  attest = ["type=sbom", { type = "provenance", mode = "max" }, "type=provenance,disabled=true"]\n  ssh = ["default=k", { id = "b", paths = ["x"] }]'.replace('\n  ssh = ["default=k", { id = "b", paths = ["x"] }]', "")),
  target("values of all kinds", '  description = "d"\n  context = "./ctx/../x/"\n  dockerfile = "D"\n  dockerfile-inline = "FROM ${"$"}{x}"\n  target = "t"\n  pull = true\n  no-cache = false\n  network = "host"\n  no-cache-filter = ["a", "a"]\n  shm-size = "64m"\n  ulimits = ["nofile=1:2"]\n  call = "check"\n  entitlements = ["security.insecure"]\n  extra-hosts = { h = "1.2.3.4" }\n  resources = { memory = "1g", cpu-shares = 5 }\n  labels = { "a.b" = "$${x}" }\n  annotations = ["a=b"]'),
  target("nulls and empty texts", '  args = { A = null, B = "" }\n  tags = ["", "a", "a"]\n  contexts = { a = "", b = "c" }\n  target = null'),
  target("a wrong type", '  tags = "x"', { refused: "same words" }),
  target("a wrong bool", '  pull = "maybe"', { refused: "same words" }),
  target("an output without type", '  output = ["a=b,dest=x"]', { refused: "same words" }),
  // Overrides
  set("app.args.B=9", "app.args.C=x=y"),
  set("*.platform=linux/arm64"),
  set("*.tags+=more"),
  set("app.tag="),
  set("base.output=type=tar,dest=x.tar"),
  set("app.output="),
  set("app.cache-from="),
  set("app.platform="),
  set("*.push=true"),
  set("*.push=false"),
  set("*.load=true"),
  set("app.labels.a.b=c"),
  set("app.context=https://example.com/a.git"),
  set("app.contexts.c=docker-image://x"),
  set("app.no-cache=true", "app.pull=0"),
  set("app.network=host"),
  set("app.ulimit=nofile=1", "app.ulimit+=nproc=2"),
  set("app.cache-from+=type=local,src=."),
  set("app.attest=type=sbom"),
  set("app.annotation=x=y"),
  set("app.resource.memory=1g"),
  set("app.extra-host.h=1.1.1.1"),
  set("app.entitlement=network.host"),
  set("app.dockerfile=", "app.target=t", "app.call=lint", "app.shm-size=1m"),
  ...["nope.tags=x", "app", "app.tags", "app.args=x", "app.bogus=1", "app.pull=maybe", "app.tags.x=1", "app.secret.s=id=s", "app.resource.bogus=1", "app.output=a=b,dest=x", "app.attest=x=y", "app.secrets=nope"].map(
    (change): BakeCase => ({ ...set(change), refused: "same words" }),
  ),
  // Files
  { name: "two files", sources: { "a.hcl": 'target "t" {\n  tags = ["a"]\n  args = { A = "1" }\n}', "b.hcl": 'target "t" {\n  tags = ["b"]\n  args = { B = "2" }\n}' }, targets: ["t"] },
  { name: "JSON", sources: { "a.json": '{"variable": {"X": {"default": "v"}}, "target": {"t": {"tags": ["${X}"], "args": {"A": "${1 + 1}"}}}, "group": {"default": {"targets": ["t"]}}}' } },
  { name: "JSON over HCL", sources: { "a.hcl": 'target "t" { tags = ["a"] }', "b.json": '{"target": {"t": {"tags": ["b"]}}}' }, targets: ["t"] },
  { name: "broken JSON", sources: { "a.json": '{"target": {"t": ' }, refused: "own words" },
  hcl("broken syntax", 'target "t" {\n  tags = ["a"\n', { refused: "own words" }),
  hcl("a block on one line", 'target "t" { tags = ["a"], args = {} }', { refused: "same words" }),
  hcl("an attribute twice", 'target "t" {\n  tags = ["a"]\n  tags = ["b"]\n}', { refused: "same words" }),
  hcl("a heredoc", 'target "default" {\n  dockerfile-inline = <<EOT\nFROM x\n  RUN y ${1 + 1}\nEOT\n}'),
  hcl("an indented heredoc", 'target "default" {\n  dockerfile-inline = <<-EOT\n    FROM x\n      RUN y\n    EOT\n}'),
  hcl("policies", 'target "default" {\n  inherits = ["base"]\n  policy = ["strict=true,log-level=WARN", { disabled = false, reset = "1", filename = "" }, "Disabled=T", {}]\n  args = { P = jsonencode(target.base.policy), N = jsonencode(target.none.policy) }\n}\ntarget "none" {}\ntarget "base" { policy = ["filename=a.rego,filename=b.rego", { filename = "c.rego", strict = false, log-level = "debug" }] }'),
  hcl("policies that are changed", 'target "a" { policy = ["strict=true"] }\ntarget "b" { policy = ["strict=true"] }\ntarget "c" { policy = ["strict=true"] }', { targets: ["a", "b", "c"], set: ["a.policy=filename=x", "a.policy=disabled=true", "b.policy+=disabled=true,reset=f", "c.policy="] }),
  hcl("a policy for all", 'target "a" {}\ntarget "b" { policy = ["strict=true"] }', { targets: ["a", "b"], set: ["*.policy+=log-level=trace"] }),
  ...["filename=", "strict=maybe", "log-level=loud", "nope=1", "nothing", "reset"].flatMap((text) => [
    hcl(`a policy that is none: ${text}`, `target "default" { policy = ["${text}"] }`, { refused: "same words" }),
    hcl(`a policy that is none: --set ${text}`, 'target "default" {}', { set: [`*.policy=${text}`], refused: "same words" }),
  ]),
  hcl("a policy that is empty", 'target "default" { policy = [""] }'),
  hcl("a policy that is empty: --set", 'target "default" { policy = ["strict=1"] }', { set: ["*.policy+="], refused: "same words" }),
  hcl("a policy that is a text", 'target "default" { policy = "strict=true" }', { refused: "same words" }),
  hcl("a policy that is a number", 'target "default" { policy = [1] }', { refused: "same words" }),
  hcl("policies' subkey", 'target "default" {}', { set: ["*.policy.x=strict=true"], refused: "same words" }),
  hcl("nothing", "", { refused: "own words" }),
  // Compose
  compose("a service", "services:\n  app:\n    image: a/b\n    build: .\n"),
  compose("a whole section", "services:\n  web.app:\n    image: ex/web:${TAG:-x}\n    environment: {FROMENV: envval}\n    build:\n      context: ./web\n      dockerfile: D.file\n      args: {A: , FROMENV: , B: 1.10, C: true, N: null, I: 0x10, O: 0755, E: 1e3, BIG: 12345678901234567890, Y: yes, EMPTY: \"\"}\n      labels: [\"a=b\", \"c\"]\n      tags: [\"t1\", \"t2\"]\n      additional_contexts: {base: \"service:db\", o: ./other, img: \"docker-image://x\"}\n      shm_size: 64m\n      ulimits: {nofile: {soft: 10, hard: 20}}\n      extra_hosts: [\"h:1.2.3.4\", \"h=1.2.3.5\", \"i:::1\"]\n      cache_from: [\"ex/c\", \"type=local,src=x\"]\n      cache_to: [\"type=local,dest=y\"]\n      secrets: [s2]\n      no_cache: true\n      pull: false\n      network: host\n      platforms: [\"linux/amd64\"]\n      entitlements: [network.host]\n      sbom: true\n      provenance: mode=max\n      x-bake: {tags: [t3, t1], no-cache-filter: a b, output: type=docker, contexts: {o: zzz, p: q}, no-cache: false, pull: true, platforms: linux/arm64}\n  db:\n    build: .\nsecrets:\n  s2: {environment: S2}\n", { env: { A: "1", S2: "x" } }),
  compose("small values", 'services:\n  a:\n    build:\n      context: ""\n      args: {A: "${B-}"}\n      labels: {x: null, y: 1.0, z: true}\n      shm_size: 1048576\n      tags: []\n      provenance: false\n      sbom: generator=x\n      cache_from: [a]\n      x-bake: {cache-from: "b", tags: "x y", cache-to: [type=inline]}\n  b:\n    build: https://github.com/x/y.git#main\n    image: q\n  c:\n    build: {context: ../../x/, dockerfile: /abs/D, provenance: true, ssh: []}\n'),
  compose("anchors", "x-c: &c {context: ., args: {A: 1, B: 2}}\nservices:\n  a: {build: {<<: *c, args: {B: 3}}}\n  b: {build: *c}\n"),
  compose("several documents", "services:\n  a: {build: .}\n---\nservices:\n  b: {build: .}\n"),
  compose("services that extend", "services:\n  a:\n    build: {context: x, args: {A: 1}, tags: [t]}\n  b:\n    extends: a\n    build: {args: [B=2, A=3], target: q}\n"),
  compose("a variable that must be there", "services:\n  a:\n    image: ${REQ:?need it}\n    build: .\n", { refused: "same words" }),
  compose("a variable that is none", 'services:\n  a:\n    build: {context: "${}"}\n', { refused: "same words" }),
  compose("variables in each other", 'services:\n  a:\n    image: "${A:+${B:-c}}$$x${Z-}"\n    build: .\n', { env: { A: "1" } }),
  compose("an unknown key", "services:\n  a:\n    build: {contxt: x}\n", { refused: "same words" }),
  compose("a secret that is not there", "services:\n  a:\n    build: {context: ., secrets: [nope]}\n", { refused: "same words" }),
  compose("an empty file", "{}\n", { refused: "same words" }),
  compose("no build", "services: {a: {image: x}}\n", { targets: ["a"], refused: "same words" }),
  compose("dollar signs that stand for themselves", "services:\n  a:\n    image: x\n    build: {context: ., args: {A: '^.+$`)', B: 'a$', C: '$1 $ {x} $-', D: '$$1'}}\n"),
  compose("several that must be there", "services:\n  a:\n    image: x\n    labels: ['${Z?no z}', 'a', '${B?no b}', '$X']\n    build: {context: '${C?no c}'}\n", { refused: "same words" }),
  compose("an image without a name", "services: {a: {image: $NOPE}}\n", { refused: "same words" }),
  compose("a brace that is not closed", "services: {a: {image: '${A', build: .}}\n", { refused: "same words" }),
  compose("neither image nor build", "services: {a: {bild: .}}\n", { refused: "same words" }),
  compose("a name that is none", 'services:\n  "a b": {build: .}\n', { refused: "same words" }),
  compose("services as a list", "services: [a]\n", { refused: "same words" }),
  compose("tags as a text", "services:\n  a:\n    build: {context: ., tags: x}\n", { refused: "same words" }),
  { name: "compose files over each other", sources: { "m.yaml": "services:\n  app:\n    image: i\n    build: {context: ., args: {A: 1}, tags: [a, b], labels: [l=1], platforms: [linux/amd64], cache_from: [c1]}\n  d:\n    build: ./d\n", "o.yaml": "services:\n  app:\n    build:\n      args: [B=2, A=3]\n      tags: [b, c]\n      platforms: [linux/arm64, linux/amd64]\n      cache_from: [c2]\n  d:\n    build:\n      dockerfile: X\n" } },
  { name: "reset and override", sources: { "m.yaml": "services:\n  app:\n    build: {context: ., args: {A: 1}, tags: [a, b], labels: [l=1]}\n", "o.yaml": 'services:\n  app:\n    build:\n      args: !reset null\n      tags: !override ["only"]\n      labels: {q: z}\n' } },
  { name: "HCL over compose", sources: { "a.hcl": 'target "app" {\n  args = { H = "1" }\n  tags = ["h"]\n}\ngroup "default" { targets = ["d"] }', "m.yaml": "services:\n  app:\n    build: {context: ., args: {A: 1}}\n  d: {build: ./d}\n" }, targets: ["app", "default"] },
  ...["1", "false"].flatMap((value) => [
    { name: `contexts beside their file: ${value}`, sources: { "sub/a.hcl": 'group "default" {\n  targets = ["t", "u", "v", "w", "x", "c", "m-1", "n", "q"]\n}\ntarget "t" {}\ntarget "u" {\n  context = "ctx"\n  contexts = { a = "more", b = "target:t", c = "docker-image://x", d = "https://x/y.git", e = "/abs", f = "../up", g = "oci-layout://lay" }\n  dockerfile = "df/Dockerfile"\n}\ntarget "v" { context = "cwd://here" }\ntarget "w" { context = "https://github.com/a/b.git" }\ntarget "x" { context = "." }\ntarget "p" { context = "pc" }\ntarget "c" { inherits = ["p"] }\ntarget "m" {\n  matrix = { a = ["1"] }\n  name = "m-${a}"\n  context = "m${a}"\n}\ntarget "n" { context = target.p.context }\ntarget "q" { context = "${target.p.context}/q" }\n', "o.json": '{"target": {"t": {"args": {"A": "1"}}, "u": {"contexts": {"a": "over"}}, "n": {"inherits": ["p"]}}}' }, set: ["x.context=over"], env: { BUILDX_BAKE_FILE_RELATIVE_PATHS: value } },
    { name: `compose files beside each other: ${value}`, sources: { "sub/compose.yaml": "services:\n  s: {build: ./sctx}\n  s2: {build: {context: ., dockerfile: D, additional_contexts: {a: ./more}}}\n  s3: {build: {context: https://x/y.git}}\n", "sub/two/c.yaml": "services:\n  s: {build: {args: {A: \"1\"}}}\n  z: {build: ./zz}\n" }, env: { BUILDX_BAKE_FILE_RELATIVE_PATHS: value } },
  ]),
  hcl("contexts beside their file: a value that is none", 'target "default" {}', { env: { BUILDX_BAKE_FILE_RELATIVE_PATHS: "maybe" }, refused: "same words" }),
  { name: "included files", sources: { "compose.yaml": "include: [sub/c.yaml]\nservices:\n  app:\n    extends: {file: sub/c.yaml, service: base}\n    build: {args: [\"B=3\"]}\n", "sub/c.yaml": "services:\n  inc:\n    build: {context: ., args: {X: \"${SUBVAR:-none}\", Y: \"${TOP}\"}}\n  base:\n    build: {context: bb, args: {A: \"1\", B: \"2\"}}\n", "sub/.env": "SUBVAR=insub\n", ".env": 'TOP="quoted ${HOME} v" # c\n' }, files: ["compose.yaml"] },
]; // prettier-ignore
