import { describe, expect, it } from "vitest";
import { formatRows } from "./format-rows.js";
import { alignTabs } from "./tab-writer.js";

const headers = { Name: "NAME/NODE", Driver: "DRIVER/ENDPOINT", Status: "STATUS" };
const rows = [
  {
    fields: {
      Name: "mine*",
      Driver: "docker-container",
      Status: "",
      Label: (key: unknown) => `<${String(key)}>`,
    },
  },
  {
    fields: {
      Name: " \\_ mine0",
      Driver: " \\_ unix:///var/run/docker.sock",
      Status: "running",
      Label: () => "",
    },
  },
];
const defaultTable = "{{.Name}}\t{{.Driver}}\t{{.Status}}";
const format = (text: string) => formatRows({ format: text, defaultTable, headers, rows });

describe("formatRows", () => {
  it("prints the default table", () => {
    expect(format("table")).toBe(
      "NAME/NODE   DRIVER/ENDPOINT                   STATUS\n" +
        "mine*       docker-container                  \n" +
        " \\_ mine0    \\_ unix:///var/run/docker.sock   running\n",
    );
  });

  it("prints tables of chosen columns, whose functions leave the heading alone", () => {
    expect(format("table {{upper .Name}}\\t{{.Status}}")).toBe(
      "NAME/NODE   STATUS\nMINE*       \n \\_ MINE0   running\n",
    );
  });

  it("prints a template for each", () => {
    expect(format('{{.Name}}={{.Status}}{{.Label "x"}}')).toBe("mine*=<x>\n \\_ mine0=running\n");
  });

  it("prints JSON with sorted keys, or what the row says", () => {
    expect(format("json").split("\n")[0]).toBe('{"Driver":"docker-container","Name":"mine*","Status":""}');
    expect(format("{{json .}}")).toBe(format("json"));
    const own = [{ fields: { Name: "x" }, json: { z: 1, a: "<&>" } }];
    expect(formatRows({ format: "json", defaultTable, headers, rows: own })).toBe(
      // Rows escape what Go's encoder does.
      '{"z":1,"a":"\\u003c\\u0026\\u003e"}\n',
    );
  });

  it("prints only the heading for no rows", () => {
    expect(formatRows({ format: "table", defaultTable, headers, rows: [] })).toBe(
      "NAME/NODE   DRIVER/ENDPOINT   STATUS\n",
    );
  });
});

// Expected texts from docker/cli v29.6 formatter/tabwriter with minwidth 10, tabwidth 1, padding 3.
describe("alignTabs", () => {
  it("ends a column where a line does not have it", () => {
    expect(alignTabs("a\tb\tc\nlong text here\tb\nx\ty\tz\n")).toBe(
      "a                b         c\nlong text here   b\nx                y         z\n",
    );
  });

  it("starts a column anew after a line without it", () => {
    expect(alignTabs("a\tb\nnothing\nmuch longer cell\tb\n")).toBe(
      "a         b\nnothing\nmuch longer cell   b\n",
    );
  });

  it("counts columns of the screen", () => {
    expect(
      alignTabs("日本語日本語\tx\n\x1b]8;;https://a\x07link\x1b]8;;\x07\tx\n", { minWidth: 0, padding: 1 }),
    ).toBe("日本語日本語 x\n\x1b]8;;https://a\x07link\x1b]8;;\x07         x\n");
  });
});
