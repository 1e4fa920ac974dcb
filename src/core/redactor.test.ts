import { expect, test } from "vitest";
import { Redactor } from "./redactor.js";

test("SEC-16 blanks known secrets, also inside words and line by line", () => {
  const redactor = new Redactor();
  redactor.add("hunter22");
  redactor.add(Buffer.from("first line\nsecond line\n"));
  expect(redactor.clean("x-hunter22-y")).toBe("x-*****-y");
  expect(redactor.clean("a second line, b")).toBe("a *****, b");
});

test("SEC-18 blanks user names and passwords of URLs", () => {
  expect(new Redactor().clean("clone https://u:p@example.com/r.git failed")).toBe(
    "clone https://*****@example.com/r.git failed",
  );
});

test("leaves texts alone that hold no secret, and values too short to be one", () => {
  const redactor = new Redactor();
  redactor.add("ab");
  expect(redactor.clean("abc unix:///run/x.sock a@b")).toBe("abc unix:///run/x.sock a@b");
});
