import { describe, expect, it } from "vitest";
import { Template } from "./template.js";

const data = {
  Name: "foo",
  Count: 3,
  Zero: 0,
  List: ["a", "b", "c"],
  Empty: [],
  Nodes: [
    { Name: "n0", Tags: ["x"] },
    { Name: "n1", Tags: [] },
  ],
  Map: new Map<string, unknown>([
    ["b", 2],
    ["a", 1],
  ]),
  Missing: undefined,
  Yes: true,
};
const run = (text: string) => Template.parse(text).execute(data);

describe("Template", () => {
  // Checked against Go 1.26's text/template with docker/cli's functions.
  it.each([
    ["{{.Name}} {{ .Count }}", "foo 3"],
    ["a {{- .Name -}} b", "afoob"],
    ["{{/* comment */}}x{{- /* trimmed */ -}} y", "xy"],
    ["{{if .Zero}}a{{else if .Name}}b{{else}}c{{end}}", "b"],
    ["{{if and .Yes .Name}}1{{end}}{{if or .Zero .Empty}}2{{else}}3{{end}}", "13"],
    ["{{if not .Zero}}x{{end}}", "x"],
    ["{{range .List}}[{{.}}]{{end}}", "[a][b][c]"],
    ["{{range $i, $v := .List}}{{$i}}={{$v}}{{$.Name}} {{end}}", "0=afoo 1=bfoo 2=cfoo "],
    ["{{range .Empty}}x{{else}}none{{end}}", "none"],
    ["{{range $k, $v := .Map}}{{$k}}{{$v}},{{end}}", "a1,b2,"],
    ["{{range .Nodes}}{{.Name}}{{range .Tags}}:{{.}}{{end}} {{end}}", "n0:x n1 "],
    ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', "ac"],
    ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"],
    ["{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}", "c"],
    ["{{with .Missing}}a{{else}}b{{end}}{{with .Name}}{{.}}{{end}}", "bfoo"],
    ["{{.Missing}}|{{.Map.c}}|{{.Map.a}}", "<no value>|<no value>|1"],
    ["{{.List}} {{.Map}} {{.Yes}}", "[a b c] map[a:1 b:2] true"],
    ['{{json .List}} {{json .Map}} {{json "<"}}', '["a","b","c"] {"a":1,"b":2} "<"'],
    ['{{join .List ","}} {{index (split "a:b" ":") 1}}', "a,b,c b"],
    ['{{upper .Name}} {{lower "X"}} {{title "go is-fun"}}', "FOO x Go Is-Fun"],
    ['{{pad .Name 1 2}}| {{truncate .Name 2}} {{pad "" 1 1}}|', " foo  | fo |"],
    ['{{.Name | printf "%-5s|%05d|%q" "a" 7}}', 'a    |00007|"foo"'],
    ["{{len .List}} {{index .List 1}} {{(index .Nodes 0).Name}}", "3 b n0"],
    ['{{eq .Count 1 2 3}} {{ne .Name "x"}} {{lt 1 2}} {{ge 2 3}}', "true true true false"],
    ['{{print 1 2 "a" 3}} {{println .Name}}', "1 2a3 foo\n"],
    ['{{`raw \\n`}}{{"tab\\tq\\""}}{{\'a\'}}', 'raw \\ntab\tq"97'],
    ["{{slice .Name 1}} {{slice .List 0 1}}", "oo [a]"],
  ])("%j gives %j", (text, expected) => {
    expect(run(text)).toBe(expected);
  });

  it.each([
    [
      "{{.Nope}}",
      /^template parsing error: template: :1: executing "" at <\.Nope>: can't evaluate field Nope$/,
    ],
    ["a\n{{.Name", /^template parsing error: template: :2: unclosed action$/],
    ["{{nope .}}", /function "nope" not defined/],
    ["{{if .Name}}", /unexpected EOF/],
    ["{{end}}", /unexpected \{\{end\}\}/],
    ["{{.Name .Count}}", /Name has arguments but cannot be invoked as function/],
    ["{{.Name ~}}", /unexpected "~" in command/],
    ["{{}}", /missing value for command/],
    ["{{index .List 9}}", /error calling index: index out of range: 9/],
    ["{{$x}}", /undefined variable "\$x"/],
    ["{{break}}", /outside/],
    ['{{template "x"}}', /not supported/],
    ["{{.Name.toString}}", /can't evaluate field toString/],
    ["{{.constructor}}", /can't evaluate field constructor/],
  ])("%j is refused", (text, message) => {
    expect(() => run(text)).toThrow(message);
  });
});
