// Which modules a run has initialized: each gets a number where the program defines it, and is told to `module.onModule`
// (run-program.ts). A run of other modules than those before it has functions that V8's code cache does not hold yet.

/** How esbuild's function begins that makes a module's initialization of what it runs. */
const toInit =
  /([\w$]+ = \(([\w$]+), ([\w$]+), [\w$]+)(\) => \(\) => \{[^{}]*\{\s*return \2 && \()(\3 = \2\(\2 = 0\)\))/;

/**
 * The bundle with that. esbuild must have left the white space.
 *
 * @param {string} text
 * @param {() => void} used called when the function was found
 */
export function notedModules(text, used = () => {}) {
  return text.replace(toInit, (_, head, _run, _result, middle, end) => {
    used();
    return `slipwayModules = 0, ${head}, slipwayModule = slipwayModules++${middle}module.onModule?.(slipwayModule), ${end}`;
  });
}
