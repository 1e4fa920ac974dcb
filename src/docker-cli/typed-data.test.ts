import { expect, test } from "vitest";
import { Template } from "../cli/index.js";
import { fields, list, map, number, struct, text, typedData } from "./typed-data.js";

const shape = struct({ ...fields(text, "Name"), Tags: list, Labels: map, State: struct({ Pid: number }) });
const run = (template: string, value: unknown) => Template.parse(template).execute(typedData(value, shape));

test.each([
  ["{{.Name}}|{{len .Tags}}|{{len .Labels}}|{{.State.Pid}}", {}, "|0|0|0"],
  ["{{.Name}}|{{len .Tags}}", { Name: null, Tags: null }, "|0"],
  ["{{.Labels.a}} {{.Labels.b}}", { Labels: { a: "1" } }, "1 <no value>"],
  ['{{index .Labels "a b"}}', { Labels: { "a b": "1" } }, "1"],
  ["{{json .}} {{json .State}}", { Name: "n", More: 1 }, '{"Name":"n","More":1} {}'],
  ["{{.More.Deep}}", { More: { Deep: [1] } }, "[1]"],
  ["{{range .Tags}}{{.}},{{end}}", { Tags: ["a", "b"] }, "a,b,"],
  ["{{.Name}}", "no object", ""],
])("%s of %j", (template, value, expected) => {
  expect(run(template, value)).toBe(expected);
});

test("a field that does not exist is an error", () => {
  expect(() => run("{{.Nope}}", {})).toThrow("can't evaluate field Nope");
  expect(() => run("{{.State.Nope}}", {})).toThrow("can't evaluate field Nope");
  expect(() => run("{{.constructor}}", {})).toThrow("can't evaluate field constructor");
});

test("names that every object has are names like others", () => {
  const value = JSON.parse('{"Labels":{"__proto__":"1","toString":"2"},"__proto__":{"x":1}}') as unknown;
  expect(run('{{index .Labels "__proto__"}} {{.Labels.toString}} {{.Name}}', value)).toBe("1 2 ");
});
