import { expect, test } from "vitest";
import type { Diagnostic } from "./diagnostic.js";
import { encodeJson } from "./encode-json.js";
import { standardFunctions } from "./functions/standard-functions.js";
import { parseExpression } from "./parse-expression.js";
import type { Scope } from "./scope.js";

/** Expressions and what buildx 0.38.2 makes of them, as JSON; "ERR" where it fails. */
const results: [expression: string, json: string][] = [
  ["0.1 + 0.2", "0.3"],
  [
    "1 / 3",
    "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335",
  ],
  ["2 * 1.5", "3"],
  ["-7 % 3", "-1"],
  ["7 % 0", "7"],
  ["1 / 0", "ERR"],
  ["1e20", "100000000000000000000"],
  ["0.000001", "0.000001"],
  ['"5" + 1', "6"],
  ['"5" == 5', "false"],
  ["null && true", "false"],
  ["null || true", "true"],
  ["false && NOPE", "false"],
  ['true ? 1 : "x"', '"1"'],
  ['true ? ["a"] : []', '["a"]'],
  ['false ? {a = 1} : {a = "x"}', '{"a":"x"}'],
  ['[for i, v in ["a", "b"] : "${i}${v}" if i > 0]', '["1b"]'],
  ["{for k, v in {a = 1, b = 2} : v => k}", '{"1":"a","2":"b"}'],
  ['{for v in ["x", "y", "x"] : v => v...}', '{"x":["x","x"],"y":["y"]}'],
  ["[{n = 1}, {n = 2}][*].n", "[1,2]"],
  ['"one"[*]', '["one"]'],
  ["null.*.a", "[]"],
  ["{a = {b = [10, 20]}}.a.b.1", "20"],
  ['"a${"b"}c"', '"abc"'],
  ['"%{if true}yes%{else}no%{endif}"', '"yes"'],
  ['"%{for v in ["a", "b"]}<${v}>%{endfor}"', '"\\u003ca\\u003e\\u003cb\\u003e"'],
  ['"$${x} \\u00e9 \\"q\\""', '"${x} é \\"q\\""'],
  [
    'format("%05d|%-4s|%.2f|%q|%v", 42, "ab", 3.14159, "x\\"y", 1000000)',
    '"00042|ab  |3.14|\\"x\\\\\\"y\\"|1e+06"',
  ],
  ['format("%[2]s %[1]s %x %#o", "a", "b", 255, 8)', "ERR"],
  ['formatlist("%s-%d", ["a", "b"], [1, 2])', '["a-1","b-2"]'],
  ['regex("(?P<a>.)(?P<b>.)", "xyz")', '{"a":"x","b":"y"}'],
  ['regexall("[a-z]+", "ab12cd")', '["ab","cd"]'],
  ['regex_replace("hello world", "(o)", "<$1>")', '"hell\\u003co\\u003e w\\u003co\\u003erld"'],
  ['title("hello big-world x_y")', '"Hello Big-World X_y"'],
  ['upper("straße")', '"STRAßE"'],
  ['substr("hello", -3, 2)', '"ll"'],
  ['replace("abc", "", "-")', '"-a-b-c-"'],
  ['split("", "abc")', '["a","b","c"]'],
  ['trim("xxabcx", "x")', '"abc"'],
  ['indent(2, "a\\nb")', '"a\\n  b"'],
  ['join("-", ["a", "b"], ["c"])', '"a-b-c"'],
  ['sort(["b", "a", "C"])', '["C","a","b"]'],
  ['zipmap(["a", "b"], [1, "x"])', '{"a":1,"b":"x"}'],
  ['merge({a = 1}, {a = "x", b = 2})', '{"a":"x","b":2}'],
  ['lookup({a = 1}, "z", "d")', '"d"'],
  ['element(["a", "b"], 3)', '"b"'],
  ['slice(["a", "b", "c"], 1, 3)', '["b","c"]'],
  ['setproduct(["a", "b"], [1, 2])', '[["a",1],["a",2],["b",1],["b",2]]'],
  ['setunion(["b"], ["a", "b"])', '["a","b"]'],
  ['setsubtract(["a", "b"], ["b"])', '["a"]'],
  ["setsymmetricdifference([1, 2], [2, 3])", "[1,3]"],
  ["flatten([[1, [2]], [], 3])", "[1,2,3]"],
  ['distinct(["a", "b", "a"])', '["a","b"]'],
  ['chunklist(["a", "b", "c"], 2)', '[["a","b"],["c"]]'],
  ["range(5, 1)", "[5,4,3,2]"],
  ['coalesce(null, "", "x")', '""'],
  ['convert("12", number)', "12"],
  ["convert([1, true], list(string))", '["1","true"]'],
  ['convert(["b", "a", "b"], set(string))', '["a","b"]'],
  ['jsondecode("{\\"a\\": [1, null, \\"x\\"]}")', '{"a":[1,null,"x"]}'],
  ['csvdecode("a,b\\n1,\\"x,y\\"")', '[{"a":"1","b":"x,y"}]'],
  ['base64decode("aGk=")', '"hi"'],
  ['urlencode("a b&c/é")', '"a+b%26c%2F%C3%A9"'],
  ['md5("x")', '"9dd4e461268c8034f5c8564e155c67a6"'],
  ['uuidv5("dns", "example.com")', '"cfbff0d1-9375-5685-968c-48ce8b15ae17"'],
  ['cidrsubnet("10.0.0.0/8", 8, 2)', '"10.2.0.0/16"'],
  ['cidrhost("10.0.0.0/8", -2)', '"10.255.255.254"'],
  ['cidrsubnets("10.1.0.0/16", 4, 4, 8)', '["10.1.0.0/20","10.1.16.0/20","10.1.32.0/24"]'],
  ['cidrnetmask("172.16.0.0/12")', '"255.240.0.0"'],
  ['cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', '"fd00:fd12:3456:7800:a200::/72"'],
  [
    'formatdate("EEEE, DD MMM YYYY hh:mm ZZZ \'at\'", "2018-01-02T23:12:01Z")',
    '"Tuesday, 02 Jan 2018 23:12 UTC at"',
  ],
  ['formattimestamp("X", "2018-01-02T23:12:01+02:00")', '"1514927521"'],
  ['timeadd("2018-01-02T23:12:01Z", "-1h30m")', '"2018-01-02T21:42:01Z"'],
  [
    "unixtimestampparse(1690328596)",
    '{"day":25,"hour":23,"iso_week":30,"iso_year":2023,"minute":43,"month":7,"month_name":"July","rfc3339":"2023-07-25T23:43:16Z","second":16,"weekday":2,"weekday_name":"Tuesday","year":2023,"year_day":206}',
  ],
  ['semvercmp("1.2.3", ">= 1.2, < 2 || ^3")', "true"],
  ['parseint("zZ", 62)', "2231"],
  ["pow(2, 10)", "1024"],
  ["log(100, 10)", "2"],
  ["ceil(-1.5)", "-1"],
  ['strlen("👨‍👩‍👧é")', "2"],
  ['reverse("añb")', '"bña"'],
  ['try(NOPE, "d")', '"d"'],
  ['can(1 / "x")', "false"],
  ['basename("/a/b/")', '"b"'],
  ['dirname("a/b/../c")', '"a"'],
  ['sanitize("a.b/c")', '"a_b_c"'],
  ['contains(["a"], "a")', "true"],
  ['indexof(["a", "b"], "b")', "1"],
  ['index({a = 1}, "a")', "ERR"],
  ['index(convert({a = 1}, map(number)), "a")', "1"],
  ['parseint("ff", 16)', "255"],
];

test.each(results)("%s", (source, expected) => {
  expect(evaluated(source)).toBe(expected);
});

function evaluated(source: string): string {
  const diagnostics: Diagnostic[] = [];
  const scope: Scope = { variables: new Map(), functions: standardFunctions() };
  try {
    const value = parseExpression(source, "x.hcl", { line: 1, column: 1 }, diagnostics).value(
      scope,
      diagnostics,
    );
    return diagnostics.length > 0 ? "ERR" : encodeJson(value);
  } catch {
    return "ERR";
  }
}
