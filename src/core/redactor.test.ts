import { expect, test } from "vitest";
import { InvalidArgumentError } from "./errors.js";
import { Redactor, blankSecrets } from "./redactor.js";

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

test.each([
  [
    "type=s3,secret_access_key=k1,access_key_id=k2,region=r",
    "type=s3,secret_access_key=*****,access_key_id=*****,region=r",
  ],
  ["url_v2=u,token=k1", "url_v2=u,token=*****"],
  ["ssh://user@host and ssh://user:k1@host", "ssh://user@host and ssh://*****@host"],
  ["https://k1@example.com/r.git", "https://*****@example.com/r.git"],
  ["--secret id=one,src=path", "--secret id=one,src=path"],
])("SEC-16 blanks what is a secret by its place: %s", (text, expected) => {
  expect(blankSecrets(text)).toBe(expected);
  expect(new InvalidArgumentError(text).message).toBe(expected);
});
