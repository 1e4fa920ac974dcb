// usage: node train.cjs PROGRAM COMPILED ARGS…
// Runs the command as its file or executable does, and keeps in COMPILED what V8 has compiled of PROGRAM, with what was there.
const fs = require("node:fs");
const { Script } = require("node:vm");

const [program, compiled] = process.argv.splice(2, 2);
const cached = fs.existsSync(compiled) && { cachedData: fs.readFileSync(compiled) };
const script = new Script(fs.readFileSync(program, "latin1"), { filename: "slipway", ...cached });
if (script.cachedDataRejected) throw new Error("V8 takes not what it made itself");
process.once("exit", () => fs.writeFileSync(compiled, script.createCachedData()));
const made = { exports: {} };
script.runInThisContext()((id) => process.getBuiltinModule(id), made);
void made.exports.slipway();
