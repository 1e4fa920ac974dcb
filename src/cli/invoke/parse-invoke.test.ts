import { expect, test } from "vitest";
import { parseInvoke } from "./parse-invoke.js";

test("what is to be run is read in buildx's words", () => {
  const plain = { env: {}, tty: true };
  expect(parseInvoke("")).toEqual({ ...plain, command: undefined });
  expect(parseInvoke("default")).toEqual({ ...plain, command: undefined });
  expect(parseInvoke("on-error")).toEqual({ ...plain, command: ["/bin/sh"] });
  expect(parseInvoke("bash")).toEqual({ ...plain, command: ["bash"] });
  expect(parseInvoke("ls -l, a=b")).toEqual({ ...plain, command: ["/bin/sh", "-c", "ls -l, a=b"] });
  expect(parseInvoke("entrypoint=sh,args=-c,args=id,user=app,cwd=/srv,tty=false,env=A=b=c")).toEqual({
    command: ["sh", "-c", "id"],
    env: { A: "b=c" },
    user: "app",
    cwd: "/srv",
    tty: false,
  });
  expect(parseInvoke('args=["sh","-c","a,b"],env=["A=1","__proto__=2"]')).toEqual({
    ...plain,
    command: ["sh", "-c", "a,b"],
    env: Object.fromEntries([
      ["A", "1"],
      ["__proto__", "2"],
    ]),
  });
  expect(parseInvoke('"args=[""sh"",""-c""]",cwd=/').command).toEqual(["sh", "-c"]);
  expect(parseInvoke("user=root").command).toBeUndefined();
});

test("wrong fields are named", () => {
  expect(() => parseInvoke("tty=perhaps")).toThrow('invalid tty "perhaps"');
  expect(() => parseInvoke("env=A")).toThrow('invalid env "A"');
  expect(() => parseInvoke('"args=a",bogus=1')).toThrow('unknown key "bogus"');
  expect(() => parseInvoke('"args=a",b')).toThrow("invalid value b");
});
