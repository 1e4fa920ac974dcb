import { expect, test } from "vitest";
import { declaredArguments, dockerfileStages } from "./dockerfile-stages.js";

test("settings of stages are told with the step that they stand before", () => {
  const text = [
    "# syntax=docker/dockerfile:1",
    "ARG BASE=busybox",
    "FROM $BASE AS Build",
    "ARG VERSION=1 \\",
    "  OTHER",
    "",
    "RUN make \\",
    "  # a comment between",
    "  all && ARG",
    "copy <<EOF <<-'TWO' /x/",
    "ENV no=setting",
    "EOF",
    "  USER neither",
    "\tTWO",
    "env A=b",
    "CMD nothing",
    "FROM scratch",
    "USER app",
    "WORKDIR /srv",
    'SHELL ["sh"]',
  ].join("\r\n");
  expect(dockerfileStages(text)).toEqual([
    {
      name: "build",
      settings: [
        { before: 2, text: "ARG VERSION=1 OTHER" },
        { before: 4, text: "ENV A=b" },
      ],
    },
    {
      name: "stage-1",
      settings: [
        { before: 2, text: "USER app" },
        { before: 3, text: 'SHELL ["sh"]' },
      ],
    },
  ]);
});

test("arguments are told by name", () => {
  expect(declaredArguments("ARG VERSION=1 OTHER")).toEqual(["VERSION", "OTHER"]);
  expect(declaredArguments("ENV A=b")).toEqual([]);
  expect(dockerfileStages("")).toEqual([]);
  expect(dockerfileStages("RUN <<EOF\nnever ends")).toEqual([]);
});
