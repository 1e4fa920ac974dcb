export { type AuthOptions, auth } from "./auth.js";
