import { describe, expect, it } from "vitest";
import { namedPipePath, pipeRefusal } from "./named-pipe.js";

describe("the path of a pipe", () => {
  it.each([
    ["//./pipe/docker_engine", "\\\\.\\pipe\\docker_engine"],
    ["\\\\.\\pipe\\docker_engine", "\\\\.\\pipe\\docker_engine"],
    ["\\\\./pipe\\a b", "\\\\.\\pipe\\a b"],
    ["//./PIPE/podman-machine-default", "\\\\.\\PIPE\\podman-machine-default"],
    ["//?/pipe/x", "\\\\?\\pipe\\x"],
    ["//build-1.example.com/pipe/buildkitd", "\\\\build-1.example.com\\pipe\\buildkitd"],
    ["//./pipe/ProtectedPrefix/Administrators/x", "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\x"],
  ])("of %s", (text, path) => {
    expect(namedPipePath(text)).toBe(path);
  });

  it.each([
    "",
    "x",
    "/./pipe/x",
    "./pipe/x",
    "///./pipe/x",
    "//./pipe/",
    "//./pipe//x",
    "//./x",
    "//../pipe/x",
    "//-h/pipe/x",
    "//h:1/pipe/x",
    "//./pipe/a\nb",
    "//./pipe/a\0b",
    "C:\\x",
  ])("is none: %j", (text) => {
    expect(namedPipePath(text)).toBeUndefined();
  });

  it("is dialled on Windows only", () => {
    expect(pipeRefusal() === undefined).toBe(process.platform === "win32");
  });
});
