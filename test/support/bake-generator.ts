/** A repeatable source of chance: the same seed gives the same numbers. */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const leaves = [
  "0", "1", "-1", "2", "3", "0.5", "1.5", "-2.5", "10", "100", "1e3", "0.1", "0.2", "7", "255", "1e20", "1/3",
  '"a"', '"b"', '""', '"abc"', '"Hello World"', '"5"', '"true"', '"0"', '"1.2.3"', '"v2"', '"a,b,c"', '"éa"', '" x "',
  '"foo-bar_baz"', '"a/b/c"', '"x.y"', '"<&>"', '"line\\nnext"', "true", "false", "null", "[]", "{}",
  '["a", "b"]', "[1, 2, 3]", '["a", 1, true]', "[[1, 2], [3]]", '["b", "a", "b"]', "[true, false]", '["1", "2"]',
  '{a = 1, b = 2}', '{a = "x", b = 2}', '{x = ["p", "q"]}', '{a = {b = {c = 1}}}', '[{n = 1}, {n = 2}]', '{"k y" = null}',
  'convert(["a", "b"], list(string))', 'convert(["b", "a", "b"], set(string))', 'convert({a = 1}, map(number))',
  'convert([1, 2], set(number))', "convert([], list(string))", "S", "N", "L", "M", "B",
]; // prettier-ignore

const unaryFunctions = [
  "absolute", "not", "ceil", "floor", "int", "negate", "signum", "upper", "lower", "title", "trimspace", "chomp", "strlen",
  "reverse", "length", "keys", "values", "flatten", "distinct", "compact", "sort", "reverselist", "jsonencode", "jsondecode",
  "base64encode", "base64decode", "md5", "sha1", "sha256", "urlencode", "basename", "dirname", "sanitize", "max", "min",
  "coalesce", "concat", "merge", "csvdecode", "range", "setunion", "cidrnetmask", "unixtimestampparse", "can", "coalescelist",
]; // prettier-ignore
const binaryFunctions = [
  "add", "subtract", "multiply", "divide", "modulo", "and", "or", "equal", "notequal", "greaterthan", "greaterthanorequalto",
  "lessthan", "lessthanorequalto", "pow", "log", "max", "min", "parseint", "join", "split", "trim", "trimprefix", "trimsuffix",
  "indent", "contains", "element", "chunklist", "concat", "merge", "coalesce", "coalescelist", "index", "indexof", "hasindex",
  "zipmap", "sethaselement", "setunion", "setintersection", "setsubtract", "setsymmetricdifference", "setproduct", "range",
  "format", "formatlist", "regex", "regexall", "semvercmp", "try",
]; // prettier-ignore
const ternaryFunctions = ["substr", "replace", "regex_replace", "lookup", "slice", "range", "format", "formatlist", "merge", "concat", "join", "setunion", "coalesce", "try"]; // prettier-ignore
const operators = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];
const patterns = [
  '"[a-z]+"', '"(a)(b)?"', '"(?P<first>.)(?P<rest>.*)"', '"^$"', '"x*"', '"[[:alpha:]]"', '"("', '"\\\\d+"', '"(?i)HELLO"', '"a|b"',
]; // prettier-ignore
const formats = ['"%s"', '"%d"', '"%05d"', '"%v"', '"%#v"', '"%q"', '"%.2f"', '"%-5s|"', '"%[2]s %[1]s"', '"%s-%s"', '"%t"', '"%x"', '"%%"', '"%z"', '"%e"', '"%g"', '"%5.1f"', '"%+d"']; // prettier-ignore
const types = ["string", "number", "bool", "list(string)", "set(string)", "map(string)", "list(number)", "set(any)", "list(any)", "map(any)", "object({a=number})", "object({a=optional(string)})", "tuple([string, number])", "any"]; // prettier-ignore

/** One expression of the definition language, at most `depth` levels deep. */
export function randomExpression(pick: (below: number) => number, depth: number): string {
  const of = (list: readonly string[]) => list[pick(list.length)] as string;
  const sub = () => randomExpression(pick, depth - 1);
  if (depth <= 0 || pick(7) === 0) return of(leaves);
  switch (pick(18)) {
    case 0:
    case 1:
    case 2:
      return `(${sub()} ${of(operators)} ${sub()})`;
    case 3:
      return `${of(unaryFunctions)}(${sub()})`;
    case 4:
    case 5:
    case 6:
      return `${of(binaryFunctions)}(${sub()}, ${sub()})`;
    case 7:
      return `${of(ternaryFunctions)}(${sub()}, ${sub()}, ${sub()})`;
    case 8:
      return `(${sub()} ? ${sub()} : ${sub()})`;
    case 9:
      return `"<\${${sub()}}>"`;
    case 10:
      return `[for v in ${sub()} : ${pick(2) === 0 ? "v" : `[v, ${sub()}]`}${pick(3) === 0 ? ` if v != ${sub()}` : ""}]`;
    case 11:
      return `{for k, v in ${sub()} : k => v${pick(4) === 0 ? "..." : ""}}`;
    case 12:
      return `(${sub()})${of(["[0]", "[1]", '["a"]', ".a", "[*]", ".*", ".0", "[-1]", "[*].n"])}`;
    case 13:
      return `convert(${sub()}, ${of(types)})`;
    case 14:
      return `[${sub()}, ${sub()}]`;
    case 15:
      return `{a = ${sub()}, b = ${sub()}}`;
    case 16:
      return pick(2) === 0
        ? `${of(["regex", "regexall"])}(${of(patterns)}, ${sub()})`
        : `format(${of(formats)}, ${sub()})`;
    default:
      return pick(2) === 0 ? `(${of(["-", "!"])}${sub()})` : `concat(${sub()}...)`;
  }
}

/** A definition whose arguments are expressions; what fails is "ERR", so that each is compared by itself. */
export function expressionFile(expressions: readonly string[]): string {
  const args = expressions.map((expression, at) => `    a${at} = try(jsonencode(${expression}), "ERR")`);
  return `variable "S" { default = "text" }
variable "N" { default = 42 }
variable "L" { default = ["x", "y"] }
variable "M" { default = { k = "v" } }
variable "B" { default = true }
target "default" {
  args = {
${args.join("\n")}
  }
}
`;
}

/** Types that well-typed expressions have. */
type Kind = "text" | "number" | "bool" | "texts" | "numbers" | "map";

const kinds: readonly Kind[] = ["text", "number", "bool", "texts", "numbers", "map"];
const typedLeaves: Readonly<Record<Kind, readonly string[]>> = {
  text: ['"a"', '"Hello World"', '""', '"a,b,c"', '"éa 日本"', '"12"', '" x "', '"v1.2.3"', '"<&>"', "S", '"$${x}"', '"q\\"\\n"'],
  number: ["0", "1", "-3", "2.5", "10", "1/3", "0.1", "1e10", "N", "7"],
  bool: ["true", "false", "B"],
  texts: ['["a", "b"]', '["b", "a", "b"]', "L", '["x"]', 'split(",", "p,q")', 'convert([], list(string))'],
  numbers: ["[1, 2, 3]", "[0.5, -1]", "range(3)", "[7]"],
  map: ['{a = "x", b = "y"}', "M", '{k = "1"}', 'convert({}, map(string))'],
}; // prettier-ignore
/** Forms of each type; `#text`, `#number`, … stand for expressions of theirs. */
const typedForms: Readonly<Record<Kind, readonly string[]>> = {
  text: [
    '"<${#text}-${#number}>"', "upper(#text)", "lower(#text)", "title(#text)", "reverse(#text)", "trimspace(#text)", 'join("-", #texts)',
    "replace(#text, #text, #text)", "substr(#text, 0, 2)", 'format("%s|%d|%v", #text, #int, #bool)', "md5(#text)", "base64encode(#text)",
    "(#bool ? #text : #text)", "element(#texts, 1)", 'lookup(#map, "a", #text)', "jsonencode(#map)", "sanitize(#text)", "indent(2, #text)",
    'trim(#text, "ax ")', 'trimprefix(#text, "a")', 'regex_replace(#text, "[a-c]+", "<$0>")', 'regex_replace(#text, "(.)b", "${"$"}{1}!")',
    '"%{ for x in #texts }[${x}]%{ endfor }"', '"%{ if #bool }y%{ else }${#text}%{ endif }"', "try(#text, #text)", "coalesce(#text, #text)",
    "convert(#number, string)", "urlencode(#text)", "#texts[0]", "chomp(#text)", 'regex("[^,]*", #text)',
  ],
  number: [
    "(#number + #number)", "(#number - #number)", "(#number * #number)", "(#number / 4)", "(#int % 5)", "(-#number)", "length(#texts)",
    "strlen(#text)", "max(#number, #number)", "min(#number, #number)", "ceil(#number)", "floor(#number)", "abs#", "(#bool ? #number : #number)",
    "signum(#int)", "int(#number)", "length(#map)", "#numbers[0]", 'parseint("1f", 16)', "pow(2, 5)", "length(setunion(#texts, #texts))",
  ],
  bool: [
    "(#number < #number)", "(#number == #number)", "(#text == #text)", "(#bool && #bool)", "(#bool || #bool)", "(!#bool)", "contains(#texts, #text)",
    "(#texts == #texts)", "(#map == #map)", "can(#texts[9])", "(#bool ? #bool : #bool)", 'equal(#text, "a")', "and(#bool, #bool)",
    'semvercmp("1.2.3", ">= 1.0, < 2")', "hasindex(#texts, 1)",
  ],
  texts: [
    "concat(#texts, #texts)", "distinct(#texts)", "sort(#texts)", "compact(#texts)", "reverselist(#texts)", "[for x in #texts : upper(x)]",
    "[for i, x in #texts : \"${i}${x}\" if x != #text]", "keys(#map)", "values(#map)", "[#text, #text]", "(#bool ? #texts : #texts)",
    'split(#text, #text)', "slice(#texts, 0, 1)", "flatten([#texts, [#text]])", 'formatlist("%s!", #texts)', "#texts[*]",
    "[for k, v in #map : \"${k}=${v}\"]", 'regexall("[a-z]", #text)', "[for p in setproduct(#texts, #texts) : join(\"\", p)]",
  ],
  numbers: ["concat(#numbers, #numbers)", "[for x in #numbers : x * 2]", "range(#small)", "[for t in #texts : length(t)]", "[#number, #number]", "distinct(#numbers)"],
  map: [
    "merge(#map, #map)", "{for x in distinct(#texts) : x => upper(x)}", "zipmap(distinct(#texts), distinct(#texts))", '{(#text) = #text}',
    "{for k, v in #map : k => \"${v}!\"}", "(#bool ? #map : #map)", "{a = #text, b = #text}",
  ],
}; // prettier-ignore

/** An expression in which everything has the type that it must have, at most `depth` levels deep; few of them fail. */
export function typedExpression(
  pick: (below: number) => number,
  depth: number,
  kind: Kind = kinds[pick(kinds.length)] as Kind,
): string {
  const of = (list: readonly string[]) => list[pick(list.length)] as string;
  if (depth <= 0 || pick(6) === 0) return of(typedLeaves[kind]);
  return of(typedForms[kind])
    .replace("abs#", () => `absolute(${typedExpression(pick, depth - 1, "number")})`)
    .replace(/#(texts|text|numbers|number|int|small|bool|map)/g, (_, name: string) => {
      if (name === "int") return `int(${typedExpression(pick, depth - 1, "number")})`;
      if (name === "small") return String(pick(6));
      return typedExpression(pick, depth - 1, name as Kind);
    });
}
