import { randomInt } from "node:crypto";
import { InvalidArgumentError } from "../core/index.js";

const pattern = /^[a-zA-Z][a-zA-Z0-9._-]*$/;

/**
 * The name of a builder or node in the form it is stored under: lower case (buildx store.ValidateName, STO-20).
 *
 * @throws InvalidArgumentError when it has other characters or does not begin with a letter.
 */
export function checkBuilderName(name: string): string {
  if (isBuilderName(name)) return name.toLowerCase();
  throw new InvalidArgumentError(
    `invalid name ${name}, name needs to start with a letter and may not contain symbols, except ._-`,
  );
}

/** Whether {@link checkBuilderName} would take it. */
export function isBuilderName(name: string): boolean {
  // A program without types may have forgotten it.
  return typeof name === "string" && pattern.test(name);
}

const adjectives =
  "able airy alert amber ample apt avid bold brave brief bright brisk calm candid cheery civil clear clever cosy crisp curious daring deft eager early easy exact fair fast fine firm fond frank free fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively loyal lucid lucky merry mild modest neat nimble noble open patient placid plain plucky polite prime prompt proud quick quiet ready round sage sharp silver simple sleek smart smooth snug sober solid sound spry stable steady still stout sturdy subtle sunny sure swift tender tidy trusty vivid warm wise witty young zesty".split(
    " ",
  );
const surnames =
  "abel ampere archimedes avogadro babbage banach bell bernoulli bohr boole born bose brahe cantor carson cauchy cavendish chandra copernicus coulomb crick curie dalton darwin descartes dijkstra dirac doppler edison einstein erdos euclid euler faraday fermat fermi feynman fibonacci fourier franklin fresnel galileo galois gauss germain godel goodall hamilton heisenberg herschel hertz hilbert hooke hopper hubble huygens hypatia jacobi joule kepler kirchhoff knuth kovalevskaya lagrange lamarr laplace lavoisier leibniz linnaeus lorentz lovelace mach maxwell mendel mendeleev minkowski moore nash newton nobel noether ohm pascal pasteur pauli planck poincare ptolemy pythagoras ramanujan riemann ritchie rutherford sagan schrodinger shannon somerville tesla thompson torvalds turing vaughan volta watt wiles wright yalow".split(
    " ",
  );

/** A random name like `keen_hopper`; from the second attempt on with a digit, as moby's namesgenerator does. */
export function randomBuilderName(attempt = 0): string {
  const pick = (words: readonly string[]) => words[randomInt(words.length)] ?? "";
  return `${pick(adjectives)}_${pick(surnames)}${attempt > 0 ? randomInt(10) : ""}`;
}
